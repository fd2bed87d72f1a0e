import { type FioJob, fioCommandLine } from "../fio/command.ts";
import { rbdEngineEnvironment } from "../fio/rbd-engine.ts";
import { shellQuote } from "../vm/escape.ts";
import type { Engine, Load } from "./engine.ts";
import { fioOnHost } from "./fio-on-host.ts";
import { inTargetsMode } from "./modes.ts";
import type { BaselineTarget } from "./target.ts";

/** fio's rbd engine, on this host. Its CPU is read from outside: its own figures miss librbd's threads. */
export const librbd: Engine = {
  name: "librbd",
  place: "host",
  clientCpu: "the fio process, with librbd in it",
  facts: [],
  obstacle: ({ client }) =>
    client.target.namespace === undefined ? undefined : "fio's rbd engine cannot name a namespace",
  command: (target, load) =>
    `CEPH_CONF=${shellQuote(target.conf.path)} ${fioCommandLine(jobOn(target, load))}`,
  load: (target, load, hooks) =>
    inTargetsMode(target, () =>
      fioOnHost(
        jobOn(target, load),
        rbdEngineEnvironment(target.client),
        target.osdPids(),
        hooks,
        target.client.platform,
      ),
    ),
};

function jobOn({ client, image }: BaselineTarget, load: Load): FioJob {
  return { ...load, image: { pool: client.pool, image, user: client.target.user } };
}
