import { type Argon2Algorithm, argon2, pbkdf2 } from "node:crypto";
import { availableParallelism, totalmem } from "node:os";
import { promisify } from "node:util";

/** How a key is derived from a passphrase. */
export type KeyDerivation = Pbkdf2 | Argon2;

export interface Pbkdf2 {
  readonly type: "pbkdf2";
  readonly hash: string;
  readonly iterations: number;
}

export interface Argon2 {
  readonly type: "argon2i" | "argon2id";
  /** Passes over the memory. */
  readonly time: number;
  /** KiB. */
  readonly memory: number;
  readonly cpus: number;
}

/** Derives a key of `length` bytes, on another thread. */
export async function deriveKey(
  passphrase: Buffer,
  salt: Buffer,
  how: KeyDerivation,
  length: number,
): Promise<Buffer> {
  if (how.type === "pbkdf2") return promisify(pbkdf2)(passphrase, salt, how.iterations, length, how.hash);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const parameters = {
    message: passphrase,
    nonce: salt,
    parallelism: how.cpus,
    tagLength: length,
    memory: how.memory,
    passes: how.time,
  };
  argon2(how.type as Argon2Algorithm, parameters, (error, key) => (error ? reject(error) : resolve(key)));
  return promise;
}

/** The parameters with which deriving a key takes this machine about `milliseconds`, as cryptsetup chooses them. */
export async function calibrated(type: "pbkdf2" | "argon2id", milliseconds: number): Promise<KeyDerivation> {
  if (type === "pbkdf2") {
    const sample: Pbkdf2 = { type, hash: "sha256", iterations: 50_000 };
    const scale = milliseconds / (await timeOf(sample));
    return { ...sample, iterations: Math.max(1000, Math.round(sample.iterations * scale)) };
  }
  const sample: Argon2 = { type, time: 4, memory: 64 * 1024, cpus: Math.min(4, availableParallelism()) };
  const scale = milliseconds / (await timeOf(sample));
  const most = Math.min(1024 * 1024, Math.floor(totalmem() / 2048));
  const memory = Math.min(most, Math.max(sample.memory, Math.round(sample.memory * scale)));
  const time = Math.max(sample.time, Math.round((sample.time * sample.memory * scale) / memory));
  return { ...sample, memory, time };
}

async function timeOf(how: KeyDerivation): Promise<number> {
  const start = performance.now();
  await deriveKey(Buffer.alloc(16), Buffer.alloc(32), how, 64);
  return performance.now() - start;
}
