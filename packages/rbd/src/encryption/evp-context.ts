import { type EvpFunctions, fixedMemory, type Pointer } from "@siphon/rados/engine";

/** OpenSSL writes the length of every update here. */
export const lengthWritten: Buffer = fixedMemory(8);

export type Direction = "encrypt" | "decrypt";

/**
 * An OpenSSL context with a key. OpenSSL wipes and frees it when its owner is garbage-collected.
 *
 * @param cipher in EVP's names, such as `aes_256_xts`
 * @param key may be wiped afterwards
 */
export function contextOf(
  owner: object,
  evp: EvpFunctions,
  cipher: string,
  key: Buffer,
  direction: Direction,
): Pointer {
  const context = evp.contextNew();
  freed.register(owner, () => evp.contextFree(context));
  const copy = fixedMemory(key.length);
  copy.set(key);
  const done = evp.init(
    context,
    evp.cipher(cipher),
    0,
    evp.address(copy),
    0,
    direction === "encrypt" ? 1 : 0,
  );
  copy.fill(0);
  if (done !== 1) throw new Error(`OpenSSL rejected a key for ${cipher}`);
  return context;
}

const freed = new FinalizationRegistry<() => void>((free) => free());
