import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AttachError } from "../errors.ts";
import { formatDiskFile, longestDiskFile, parseDiskFile } from "./disk-file.ts";
import type { DiskWords } from "./disk-words.ts";

/** A directory with a file for each disk: `NAME.conf`. Other files are ignored. */
export class DiskDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  pathOf(name: string): string {
    return join(this.path, `${name}${ending}`);
  }

  /** Names of the disks with files here; none if the directory does not exist. */
  async names(): Promise<string[]> {
    const files = await readdir(this.path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const disks = files.filter((file) => file.endsWith(ending) && !file.startsWith("."));
    return disks.map((file) => file.slice(0, -ending.length)).sort();
  }

  /** The content of a disk's file, or why it is invalid; undefined without a file. */
  async find(name: string): Promise<DiskWords | Error | undefined> {
    try {
      return parseDiskFile(await this.text(name));
    } catch (error) {
      const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
      return isMissing && !(await this.#hasEntry(name)) ? undefined : (error as Error);
    }
  }

  text(name: string): Promise<string> {
    return readSmallFile(this.pathOf(name));
  }

  /** After a crash the file is either the old or the new one. */
  async write(name: string, content: DiskWords | string): Promise<void> {
    const beside = join(this.path, `.${name}~`);
    try {
      await mkdir(this.path, { recursive: true, mode: 0o755 });
      await withFile(await open(beside, "w", 0o600), async (file) => {
        await file.writeFile(typeof content === "string" ? content : formatDiskFile(content));
        await file.sync();
      });
      await rename(beside, this.pathOf(name));
      await this.#sync();
    } catch (cause) {
      await unlink(beside).catch(() => {});
      const why = (cause as Error).message;
      throw new AttachError("SIPHON_ATTACH_DISK", `cannot write ${this.pathOf(name)}: ${why}`, { cause });
    }
  }

  /** Does nothing without a file. */
  async remove(name: string): Promise<void> {
    try {
      await unlink(this.pathOf(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    await this.#sync();
  }

  /** A dangling symbolic link counts as a file. */
  async #hasEntry(name: string): Promise<boolean> {
    return lstat(this.pathOf(name)).then(
      () => true,
      () => false,
    );
  }

  async #sync(): Promise<void> {
    await withFile(await open(this.path, "r"), (directory) => directory.sync());
  }
}

const ending = ".conf";

/** A FIFO without a writer must not block the service, nor a device fill its memory. */
async function readSmallFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return withFile(file, async () => {
    const { size } = await regular(file, path);
    if (size > longestDiskFile)
      throw new AttachError("SIPHON_USAGE", `it has more than ${longestDiskFile} bytes`);
    const bytes = Buffer.alloc(longestDiskFile);
    const { bytesRead } = await file.read(bytes, 0, longestDiskFile, 0);
    return bytes.toString("utf8", 0, bytesRead);
  });
}

async function regular(file: FileHandle, path: string): Promise<{ size: number }> {
  const found = await file.stat();
  if (!found.isFile()) throw new AttachError("SIPHON_USAGE", `${path} is not a regular file`);
  return found;
}

async function withFile<T>(file: FileHandle, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
