import { type FioJob, fioCommandLine } from "../../fio/command.ts";
import { serveImage } from "../../serve/image-server.ts";
import type { Disk } from "../../vm/disk.ts";
import { shellQuote } from "../../vm/escape.ts";
import type { Engine, Load } from "../engine.ts";
import { fioOnHost } from "../fio-on-host.ts";
import { inTargetsMode } from "../modes.ts";
import { diskOf } from "./disk-of.ts";

/** Siphon's NBD server, with fio's nbd engine as its only client, over a unix socket. */
export const siphonNbd: Engine = {
  name: "siphon-nbd",
  place: "host",
  clientCpu: "the fio process with libnbd in it, and siphon's server",
  facts: [],
  obstacle: () => undefined,
  command: ({ client, image, conf }, load) => {
    const socket = "/run/siphon.sock";
    const spec = client.spec(image);
    const who = ["--conf", conf.path, "--id", client.target.user];
    const serve = ["siphon", "attach", spec, "--nbd", socket, ...who].map(shellQuote).join(" ");
    return `${serve} &\n${fioCommandLine(jobOn(socket, spec, load))}`;
  },
  load: (target, load, hooks) =>
    inTargetsMode(target, async () => {
      await using server = await serveImage(diskOf(target), "nbd");
      const { socket } = server.disk as Extract<Disk, { type: "nbd" }>;
      const job = jobOn(socket, target.client.spec(target.image), load);
      return await fioOnHost(job, {}, target.osdPids(), { ...hooks, beside: [server.pid] });
    }),
};

function jobOn(socket: string, exported: string, load: Load): FioJob {
  return { ...load, nbd: { socket, export: exported } };
}
