import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs Ceph's rbd in the pool; gives what it prints. */
export type Rbd = (...args: string[]) => Promise<string>;

export function rbdIn(conf: string, pool: string): Rbd {
  const run = promisify(execFile);
  return async (...args) => {
    const where = ["--pool", pool, "--conf", conf, "--name", "client.admin"];
    const options = { encoding: "latin1", maxBuffer: 2 ** 28, timeout: 120_000 } as const;
    return (await run("rbd", [...args, ...where], options)).stdout;
  };
}
