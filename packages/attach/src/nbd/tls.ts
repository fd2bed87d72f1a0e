import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { AttachError } from "../errors.ts";

/** In PEM. */
export interface TlsCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly crl?: string;
}

/**
 * Reads certificates from a directory as QEMU lays them out (tls-creds-x509): `ca-cert.pem`, `server-cert.pem`,
 * `server-key.pem`, and optionally `ca-crl.pem`. Clients must present a certificate of the same authority.
 *
 * @throws AttachError SIPHON_ATTACH_TLS if files are missing or do not match
 */
export async function readTlsCredentials(directory: string): Promise<TlsCredentials> {
  const read = (name: string) => readFile(join(directory, name), "utf8");
  try {
    const [ca, cert, key, crl] = await Promise.all([
      read("ca-cert.pem"),
      read("server-cert.pem"),
      read("server-key.pem"),
      read("ca-crl.pem").catch(() => undefined),
    ]);
    const credentials = { ca, cert, key, ...(crl !== undefined && { crl }) };
    createSecureContext(credentials);
    return credentials;
  } catch (error) {
    throw new AttachError(
      "SIPHON_ATTACH_TLS",
      `cannot use the certificates in ${directory}: ${(error as Error).message}`,
      {
        cause: error,
        hint: "the directory needs ca-cert.pem, server-cert.pem and server-key.pem, as for QEMU's tls-creds-x509",
      },
    );
  }
}
