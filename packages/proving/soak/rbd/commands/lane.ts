import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Cluster } from "@siphon/rados";
import { ImagePool } from "@siphon/rbd";
import { type Both, differing } from "./compare.ts";
import { isFile, makeFiles } from "./files.ts";
import { KeptState } from "./kept-state.ts";
import { killed, type Program } from "./programs.ts";

export interface LaneOptions {
  conf: string;
  /** Names the lane's pools. */
  index: number;
  /** For the files of its lines. */
  directory: string;
  programs: Readonly<Record<keyof Both, Program>>;
}

/** Gives command lines to both programs, each in a pool of its own, and both pools in the same state. */
export class Lane implements AsyncDisposable {
  readonly #cluster: Cluster;
  readonly #sides: readonly Side[];
  #afterwards: "nothing" | "restore" | "remake" = "nothing";

  private constructor(cluster: Cluster, sides: readonly Side[]) {
    this.#cluster = cluster;
    this.#sides = sides;
  }

  static async open({ conf, index, directory, programs }: LaneOptions): Promise<Lane> {
    await using stack = new AsyncDisposableStack();
    const cluster = stack.use(await Cluster.connect({ conf, name: "client.admin", env: {} }));
    const sides: Side[] = [];
    for (const side of ["ours", "theirs"] as const) {
      // Names of equal length, so that columns have the same width.
      const pool = `pool-${side === "ours" ? "a" : "b"}${index}`;
      await cluster.createPool({ name: pool, pgs: 1, application: "rbd" });
      const files = join(directory, pool);
      await mkdir(files);
      const call: Side["call"] = (words, limit) =>
        programs[side].call([...words, "--conf", conf, "--name", "client.admin"], limit);
      sides.push({ pool, files, call, state: await KeptState.make(cluster, pool) });
    }
    stack.move();
    return new Lane(cluster, sides);
  }

  /** @param limit milliseconds for each program */
  async compare(line: string, limit: number): Promise<Both> {
    const [ours, theirs] = (await Promise.all(
      this.#sides.map(async (side) => {
        if (this.#afterwards === "remake") await side.state.remake();
        if (this.#afterwards === "restore") await side.state.restore();
        await makeFiles(side.files);
        return side.call(await this.#wordsFor(side, line), limit);
      }),
    )) as [Both["ours"], Both["theirs"]];
    const both = { ours, theirs };
    const hasOnlyRead = isLook.test(line) && differing(both).length === 0;
    // A killed program stays a watcher of its image for a while.
    const isKilled = ours.code === killed || theirs.code === killed;
    this.#afterwards = isKilled ? "remake" : hasOnlyRead ? "nothing" : "restore";
    return both;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cluster[Symbol.asyncDispose]();
  }

  #wordsFor({ pool, files }: Side, line: string): Promise<string[]> {
    const words = line.split(" ").map(async (word) => {
      if (isFile.test(word)) return join(files, word);
      const [, image] = /ID:(\w+)/.exec(word) ?? [];
      const known = image === undefined ? word : word.replace(/ID:\w+/, await this.#idOf(pool, image));
      return known.replace(/^P(?=$|\/)/, pool);
    });
    return Promise.all(words);
  }

  async #idOf(pool: string, name: string): Promise<string> {
    const images = await ImagePool.open(this.#cluster, pool);
    const all = [...(await images.list()), ...(await images.trash.list())];
    return all.find((each) => each.name === name)?.id ?? "gone";
  }
}

interface Side {
  readonly pool: string;
  readonly files: string;
  readonly state: KeptState;
  call(words: readonly string[], limit: number): Promise<Both["ours"]>;
}

/** Verbs that only read. */
const isLook =
  /^(ls|info|status|children|du|diff|snap ls|object-map check|export|export-diff|merge-diff|lock ls|trash ls|image-meta (list|get)|config \w+ (ls|get)|group (ls|info|image ls|snap ls|snap info)|namespace ls|pool stats|mirror|trash purge schedule ls|bench|device|journal|migration)\b/;
