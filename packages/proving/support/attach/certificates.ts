import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./run.ts";

/** Directories of certificates in the layout of QEMU's tls-creds-x509, for a server at 127.0.0.1 and for a client. */
export interface Certificates extends AsyncDisposable {
  server: string;
  client: string;
}

/** A certificate authority and certificates that it issued; removed when disposed. */
export async function certificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), "siphon-tls-"));
  const [server, client] = [join(directory, "server"), join(directory, "client")];
  const authority = join(directory, "ca");
  const openssl = (...args: string[]) => run("openssl", args);
  await openssl(
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
    ...["-subj", "/CN=authority of a test", "-keyout", `${authority}.key`, "-out", `${authority}.pem`],
  );
  for (const [kind, into, extension] of [
    ["server", server, "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth"],
    ["client", client, "extendedKeyUsage=clientAuth"],
  ] as const) {
    await mkdir(into);
    await writeFile(join(directory, `${kind}.ext`), extension);
    const key = join(into, `${kind}-key.pem`);
    const request = join(directory, `${kind}.csr`);
    await openssl(
      ...["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
      ...["-subj", `/CN=${kind}`, "-keyout", key, "-out", request],
    );
    await openssl(
      ...[
        "x509",
        "-req",
        "-in",
        request,
        "-days",
        "2",
        "-CA",
        `${authority}.pem`,
        "-CAkey",
        `${authority}.key`,
      ],
      ...[
        "-CAcreateserial",
        "-extfile",
        join(directory, `${kind}.ext`),
        "-out",
        join(into, `${kind}-cert.pem`),
      ],
    );
    await copyFile(`${authority}.pem`, join(into, "ca-cert.pem"));
  }
  return { server, client, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}
