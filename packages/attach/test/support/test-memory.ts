import { closeSync } from "node:fs";
import { GuestMemory } from "../../src/vhost/memory/guest-memory.ts";
import { MemoryRegion } from "../../src/vhost/memory/region.ts";
import { createSharedMemory } from "../../src/vhost/native/mapping.ts";

/** Guest memory with regions given as guest address and size; a user address is the guest address plus 2^40. */
export function testMemory(...regions: [guestAddress: number, size: number][]): GuestMemory {
  return new GuestMemory(
    regions.map(([guestAddress, size]) => {
      const fd = createSharedMemory("test", size);
      const region = new MemoryRegion(fd, {
        guestAddress,
        size,
        userAddress: guestAddress + 2 ** 40,
        mmapOffset: 0,
      });
      closeSync(fd);
      return region;
    }),
  );
}
