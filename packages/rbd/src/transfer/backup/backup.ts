import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { ByteSource } from "../byte-source.ts";
import { DiffReader } from "../diff-reader.ts";
import { exportDiff } from "../export-diff.ts";
import type { DiffSource, TransferOptions } from "../image-ends.ts";
import { mergeDiffs } from "../merge-diff.ts";
import { streamOf } from "../pipe.ts";
import { TransferError } from "../transfer-error.ts";
import { lockDirectory, lockFileName } from "./directory-lock.ts";
import { partialSuffix, removeDurably } from "./durable-file.ts";
import {
  type BackedUpImage,
  type BackupPoint,
  type Manifest,
  manifestName,
  readManifest,
  writeManifest,
} from "./manifest.ts";
import { readPointFile, writePointFile } from "./point-file.ts";

/**
 * A directory with the states of an image at several snapshots: a manifest, and for each point a diff from the previous
 * point (for `rbd import-diff`, one after the other). Every change is atomic, even if the process is killed: files are
 * written under temporary names, and files that the manifest does not name are not part of the backup.
 */
export class Backup implements AsyncDisposable {
  readonly directory: string;
  #manifest: Manifest;
  readonly #lock: AsyncDisposable | undefined;

  private constructor(directory: string, manifest: Manifest, lock?: AsyncDisposable) {
    this.directory = directory;
    this.#manifest = manifest;
    this.#lock = lock;
  }

  /** Opens a backup to read from. */
  static async open(directory: string): Promise<Backup> {
    return new Backup(directory, await readManifest(directory));
  }

  /**
   * Opens a backup for changes, exclusively; creates one if the directory is empty or missing.
   *
   * @throws TransferError SIPHON_TRANSFER_BUSY while another process has it open for changes, SIPHON_TRANSFER_MISMATCH
   * for a directory with other content
   */
  static async openForChange(directory: string, image: BackedUpImage): Promise<Backup> {
    await mkdir(directory, { recursive: true });
    const lock = await lockDirectory(directory);
    try {
      const names = await readdir(directory);
      if (!names.includes(manifestName)) {
        const own: string[] = [manifestName + partialSuffix, lockFileName];
        const foreign = names.filter((name) => !own.includes(name));
        if (foreign.length > 0) {
          throw new TransferError(
            "SIPHON_TRANSFER_MISMATCH",
            `${directory} is not a backup, and not empty: it contains ${foreign[0]}`,
            { hint: "use a separate directory for each image" },
          );
        }
        await writeManifest(directory, { image, points: [], nextFile: 1 });
      }
      const manifest = await readManifest(directory);
      if (manifest.image.id !== image.id) {
        throw new TransferError(
          "SIPHON_TRANSFER_MISMATCH",
          `${directory} is a backup of ${manifest.image.spec} (${manifest.image.id}), not of ${image.spec} (${image.id})`,
          { hint: "use a separate directory for each image" },
        );
      }
      const backup = new Backup(directory, manifest, lock);
      await backup.#removeUnnamed();
      return backup;
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  get image(): BackedUpImage {
    return this.#manifest.image;
  }

  /** Oldest first. */
  get points(): readonly BackupPoint[] {
    return this.#manifest.points;
  }

  /** The base of the next point. */
  get newest(): BackupPoint | undefined {
    return this.points.at(-1);
  }

  /**
   * Adds a point.
   *
   * @param name of the snapshot in `source`
   * @param source the changes since the newest point, or since nothing without one; extents in ascending order
   * @throws TransferError SIPHON_TRANSFER_MISMATCH if the point already exists
   */
  async add(name: string, source: DiffSource, options: TransferOptions = {}): Promise<BackupPoint> {
    if (this.points.some((point) => point.name === name)) {
      throw new TransferError("SIPHON_TRANSFER_MISMATCH", `${this.directory} already has a point ${name}`);
    }
    const from = this.newest?.name;
    const point = await this.#writePoint(name, source.size, (sink) =>
      exportDiff(ascending(source), { from, to: name }, sink, options),
    );
    await this.#change([...this.points, point]);
    return point;
  }

  /**
   * The whole image at a point: a diff of format 1 from nothing, merged from all points up to it while it is read.
   *
   * @throws TransferError SIPHON_TRANSFER_MISMATCH if there is no such point
   */
  read(name: string): ByteSource {
    const index = this.points.findIndex((point) => point.name === name);
    if (index === -1) {
      const known = this.points.map((point) => point.name).join(", ") || "none";
      throw new TransferError("SIPHON_TRANSFER_MISMATCH", `${this.directory} has no point ${name}`, {
        hint: `its points: ${known}`,
      });
    }
    return this.#merged(this.points.slice(0, index + 1));
  }

  /**
   * Reads a point's file completely, and checks its checksum, its format, and that it follows the previous point.
   *
   * @throws TransferError SIPHON_TRANSFER_CORRUPT or _MISMATCH if a check fails
   */
  async verify(point: BackupPoint): Promise<void> {
    await using source = readPointFile(this.directory, point);
    const reader = await DiffReader.open(source);
    const from = this.points[this.points.indexOf(point) - 1]?.name;
    const { header } = reader;
    if (header.from !== from || header.to !== point.name || header.size !== point.size) {
      throw new TransferError(
        "SIPHON_TRANSFER_CORRUPT",
        `${source.what} is a diff from ${header.from ?? "nothing"} to ${header.to ?? "the head"} of ${header.size} bytes, instead of one from ${from ?? "nothing"} to ${point.name} of ${point.size} bytes`,
      );
    }
    while ((await reader.next()) !== undefined);
  }

  /** Removes all points but some, and merges the removed ones into those that depend on them. */
  async keep(names: ReadonlySet<string>): Promise<void> {
    const points: BackupPoint[] = [];
    let group: BackupPoint[] = [];
    for (const point of this.points) {
      group.push(point);
      if (!names.has(point.name)) continue;
      points.push(group.length === 1 ? point : await this.#joined(group));
      group = [];
    }
    await this.#change(points);
    await this.#removeUnnamed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lock?.[Symbol.asyncDispose]();
  }

  /** Merges successive points: the last one, as a diff from the point before the first. */
  async #joined(group: readonly BackupPoint[]): Promise<BackupPoint> {
    const last = group.at(-1)!;
    await using source = this.#merged(group);
    const point = await this.#writePoint(last.name, last.size, async (sink) => {
      for (let part = await source.portion(); part.length > 0; part = await source.portion()) {
        await sink.write(part);
      }
      await sink.finish();
    });
    return { ...point, created: last.created };
  }

  #merged([first, ...rest]: readonly BackupPoint[]): ByteSource {
    return rest.reduce(
      (earlier, point) => {
        const later = readPointFile(this.directory, point);
        return new ByteSource(
          streamOf(async (sink) => {
            await using stack = new AsyncDisposableStack();
            stack.use(earlier);
            stack.use(later);
            await mergeDiffs(earlier, later, sink);
          }),
          `${this.directory} up to ${point.name}`,
        );
      },
      readPointFile(this.directory, first!),
    );
  }

  async #writePoint(
    name: string,
    size: number,
    write: Parameters<typeof writePointFile>[1],
  ): Promise<BackupPoint> {
    const number = this.#manifest.nextFile;
    const file = `${String(number).padStart(6, "0")}.diff`;
    const written = await writePointFile(join(this.directory, file), write);
    this.#manifest = { ...this.#manifest, nextFile: number + 1 };
    return { name, file, size, ...written, created: new Date().toISOString() };
  }

  async #change(points: readonly BackupPoint[]): Promise<void> {
    const manifest = { ...this.#manifest, points };
    await writeManifest(this.directory, manifest);
    this.#manifest = manifest;
  }

  /** Removes files left by interrupted changes. */
  async #removeUnnamed(): Promise<void> {
    const named = new Set(this.points.map((point) => point.file));
    const names = await readdir(this.directory);
    const isOurs = (name: string) => /^(\d+\.diff|manifest\.json)(\.partial)?$/.test(name);
    const unnamed = names.filter((name) => isOurs(name) && name !== manifestName && !named.has(name));
    await removeDurably(this.directory, unnamed);
  }
}

/** The source, with a check that its extents are in ascending order, as merging needs. */
function ascending(source: DiffSource): DiffSource {
  return {
    size: source.size,
    read: (offset, length, into) => source.read(offset, length, into),
    async *extents() {
      let end = 0;
      for await (const extent of source.extents()) {
        if (extent.offset < end) {
          throw new TransferError(
            "SIPHON_TRANSFER_MISMATCH",
            "the extents of the image are not in ascending order",
          );
        }
        end = extent.offset + extent.length;
        yield extent;
      }
    },
  };
}
