import { crc32c, Reader, WireError } from "@siphon/wire";

/** The parts of an encoded OSD map or incremental with a valid checksum. */
export interface MapEnvelope {
  /** Reads the struct of what clients need. */
  client: Reader;
  /** Reads the struct of what OSDs need; blocklists are in it. */
  osd: Reader;
}

/**
 * Opens the common envelope of OSDMap::encode and OSDMap::Incremental::encode (src/osd/OSDMap.cc):
 *
 *     versioned(8) { versioned client data, versioned osd data, u32 crc, more }
 *
 * The checksum is that of everything else, from the first byte to the last.
 */
export function openEnvelope(bytes: Uint8Array, name: string): MapEnvelope {
  const r = new Reader(bytes, name);
  if (bytes[0] !== undefined && bytes[0] < 7) {
    throw new WireError(
      "SIPHON_WIRE_INCOMPATIBLE",
      `${name} has encoding version ${bytes[0]}, which no Ceph since 0.78 writes`,
    );
  }
  return r.versioned(name, 8, (_, version) => {
    const client = r.struct(name);
    const osd = r.struct(name);
    if (version >= 8) {
      const crcAt = r.position;
      const expected = r.u32();
      const end = r.position + r.remaining;
      const actual = crc32c(crc32c(0xffffffff, bytes, 0, crcAt), bytes, crcAt + 4, end);
      if (actual !== expected) {
        throw new WireError(
          "SIPHON_WIRE_CHECKSUM",
          `${name} is damaged: checksum 0x${actual.toString(16)}, not 0x${expected.toString(16)}`,
          { retryable: true },
        );
      }
    }
    return { client, osd };
  });
}
