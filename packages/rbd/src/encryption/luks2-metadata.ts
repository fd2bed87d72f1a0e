import { EncryptionError } from "./encryption-error.ts";
import type { KeyDerivation } from "./key-derivation.ts";
import { areaBytes, checkVolume, type Keyslot, type LuksVolume, luksHashes } from "./luks-volume.ts";

/** Reads the JSON area of a LUKS2 header: an image is one encrypted segment that ends with the image. */
export function decodeMetadata(json: string, uuid: string): LuksVolume {
  const root = new Field("the metadata", parse(json));
  const requirements = root.field("config").optional("requirements")?.optional("mandatory")?.entries() ?? [];
  if (requirements.length > 0) {
    throw unsupported(`it requires ${requirements.map(([, name]) => name.text()).join(", ")}`);
  }

  const [segmentEntry, ...others] = root.field("segments").entries();
  if (segmentEntry === undefined) throw malformed("no segment");
  const [segmentId, segment] = segmentEntry;
  if (others.length > 0) throw unsupported("it has more than one segment: a re-encryption is in progress");
  if (segment.field("type").text() !== "crypt") throw unsupported("its segment is not encrypted");
  if (segment.optional("integrity") !== undefined) throw unsupported("it uses integrity checks");
  requireAesXts(segment.field("encryption").text());
  const sectorBytes = segment.field("sector_size").number();
  if (![512, 1024, 2048, 4096].includes(sectorBytes)) throw malformed(`sectors of ${sectorBytes} bytes`);

  const digestEntry = root
    .field("digests")
    .entries()
    .find(([, digest]) => digest.field("segments").texts().includes(segmentId));
  if (digestEntry === undefined) throw malformed("no digest for the segment's key");
  const digest = digestEntry[1];
  if (digest.field("type").text() !== "pbkdf2") throw unsupported("its digest is not PBKDF2");
  const ids = new Set(digest.field("keyslots").texts());
  const slots = root
    .field("keyslots")
    .entries()
    .filter(([id]) => ids.has(id));

  const volume: LuksVolume = {
    version: 2,
    uuid,
    keyBytes: slots[0]?.[1].field("key_size").number() ?? 64,
    sectorBytes,
    dataOffset: segment.field("offset").number(),
    firstSector: segment.field("iv_tweak").number(),
    keyslots: slots
      .filter(([, slot]) => slot.optional("priority")?.number() !== 0)
      .sort(
        ([, a], [, b]) => (b.optional("priority")?.number() ?? 1) - (a.optional("priority")?.number() ?? 1),
      )
      .map(([id, slot]) => decodeKeyslot(Number(id), slot)),
    digest: {
      hash: digest.field("hash").hashName(),
      iterations: digest.field("iterations").number(),
      salt: digest.field("salt").bytes(),
      digest: digest.field("digest").bytes(),
    },
  };
  if (volume.keyBytes !== 32 && volume.keyBytes !== 64)
    throw unsupported(`its key has ${volume.keyBytes} bytes`);
  return checkVolume(volume, 2 * 4096);
}

/** The JSON text of a new header. */
export function encodeMetadata(
  volume: LuksVolume,
  sizes: { jsonBytes: number; keyslotsOffset: number },
): string {
  const keyslots = volume.keyslots.map((slot) => [slot.id, encodeKeyslot(slot, volume.keyBytes)]);
  const { hash, iterations, salt, digest } = volume.digest;
  return JSON.stringify({
    keyslots: Object.fromEntries(keyslots),
    tokens: {},
    segments: {
      0: {
        type: "crypt",
        offset: String(volume.dataOffset),
        size: "dynamic",
        iv_tweak: String(volume.firstSector),
        encryption: aesXts,
        sector_size: volume.sectorBytes,
      },
    },
    digests: {
      0: {
        type: "pbkdf2",
        keyslots: volume.keyslots.map(({ id }) => String(id)),
        segments: ["0"],
        hash,
        iterations,
        salt: salt.toString("base64"),
        digest: digest.toString("base64"),
      },
    },
    config: {
      json_size: String(sizes.jsonBytes),
      keyslots_size: String(volume.dataOffset - sizes.keyslotsOffset),
    },
  });
}

const aesXts = "aes-xts-plain64";

function decodeKeyslot(id: number, slot: Field): Keyslot {
  if (slot.field("type").text() !== "luks2") throw unsupported(`keyslot ${id} is not of type luks2`);
  const [af, area, kdf] = [slot.field("af"), slot.field("area"), slot.field("kdf")];
  if (af.field("type").text() !== "luks1" || area.field("type").text() !== "raw") {
    throw unsupported(`keyslot ${id} has an unknown storage format`);
  }
  requireAesXts(area.field("encryption").text());
  return {
    id,
    derivation: decodeDerivation(kdf),
    salt: kdf.field("salt").bytes(),
    offset: area.field("offset").number(),
    stripes: af.field("stripes").number(),
    hash: af.field("hash").hashName(),
    areaKeyBytes: area.field("key_size").number(),
  };
}

function decodeDerivation(kdf: Field): KeyDerivation {
  const type = kdf.field("type").text();
  if (type === "pbkdf2") {
    return { type, hash: kdf.field("hash").hashName(), iterations: kdf.field("iterations").number() };
  }
  if (type !== "argon2i" && type !== "argon2id") throw unsupported(`it derives keys with ${type}`);
  return {
    type,
    time: kdf.field("time").number(),
    memory: kdf.field("memory").number(),
    cpus: kdf.field("cpus").number(),
  };
}

function encodeKeyslot(slot: Keyslot, keyBytes: number): object {
  return {
    type: "luks2",
    key_size: keyBytes,
    af: { type: "luks1", stripes: slot.stripes, hash: slot.hash },
    area: {
      type: "raw",
      offset: String(slot.offset),
      size: String(areaBytes(keyBytes, slot.stripes)),
      encryption: aesXts,
      key_size: slot.areaKeyBytes,
    },
    kdf: { ...slot.derivation, salt: slot.salt.toString("base64") },
  };
}

function requireAesXts(encryption: string): void {
  if (encryption !== aesXts) throw unsupported(`it uses ${encryption}; siphon supports only ${aesXts}`);
}

/** A value in the metadata, with its path for error messages. Each accessor rejects other types. */
class Field {
  readonly #place: string;
  readonly #value: unknown;

  constructor(place: string, value: unknown) {
    this.#place = place;
    this.#value = value;
  }

  field(name: string): Field {
    const field = this.optional(name);
    if (field === undefined) throw malformed(`${this.#place} has no ${name}`);
    return field;
  }

  optional(name: string): Field | undefined {
    const object = this.#object();
    return Object.hasOwn(object, name) ? new Field(`${name} of ${this.#place}`, object[name]) : undefined;
  }

  entries(): [string, Field][] {
    return Object.entries(this.#object()).map(([name, value]) => [
      name,
      new Field(`${name} of ${this.#place}`, value),
    ]);
  }

  text(): string {
    if (typeof this.#value !== "string") throw this.#wrong("a text");
    return this.#value;
  }

  texts(): string[] {
    return this.entries().map(([, value]) => value.text());
  }

  /** A number, or decimal text, as LUKS2 writes 64-bit numbers. */
  number(): number {
    const isDecimal = typeof this.#value === "string" && /^\d+$/.test(this.#value);
    const value = isDecimal ? Number(this.#value) : this.#value;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw this.#wrong("a number");
    return value;
  }

  bytes(): Buffer {
    return Buffer.from(this.text(), "base64");
  }

  hashName(): string {
    if (!luksHashes.has(this.text())) throw unsupported(`it uses hash ${this.text()}`);
    return this.text();
  }

  #object(): Record<string, unknown> {
    if (typeof this.#value !== "object" || this.#value === null) throw this.#wrong("an object");
    return this.#value as Record<string, unknown>;
  }

  #wrong(wanted: string): EncryptionError {
    return malformed(`${this.#place} is not ${wanted}`);
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new EncryptionError("SIPHON_ENCRYPTION_MALFORMED", "the LUKS2 metadata is not JSON", { cause });
  }
}

function malformed(found: string): EncryptionError {
  return new EncryptionError("SIPHON_ENCRYPTION_MALFORMED", `malformed LUKS2 metadata: ${found}`);
}

function unsupported(what: string): EncryptionError {
  return new EncryptionError("SIPHON_ENCRYPTION_UNSUPPORTED", `unsupported LUKS2 header: ${what}`);
}
