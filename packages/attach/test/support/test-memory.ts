import { closeSync } from "node:fs";
import { GuestMemory } from "../../src/vhost/memory/guest-memory.ts";
import { MemoryRegion } from "../../src/vhost/memory/region.ts";
import { createSharedMemory } from "../../src/vhost/native/mapping.ts";

/** Guest memory with regions given as guest address and size; a user address is the guest address plus 2^40. */
export function testMemory(...regions: [guestAddress: number, size: number][]): GuestMemory {
  const mapped = regions.map(([guestAddress, size]) => {
    const fd = createSharedMemory("test", size);
    const description = { guestAddress, size, userAddress: guestAddress + 2 ** 40, mmapOffset: 0 };
    const region = new MemoryRegion(fd, description);
    closeSync(fd);
    return region;
  });
  try {
    return new GuestMemory(mapped);
  } finally {
    for (const region of mapped) region.release();
  }
}
