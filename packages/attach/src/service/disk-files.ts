import { AttachError } from "../errors.ts";
import { DiskDirectory } from "./disk-directory.ts";
import { withWord } from "./disk-file.ts";
import { type DiskDefaults, type DiskDefinition, type DiskWords, defineDisk } from "./disk-words.ts";

/** A disk that a file defines. */
export interface WantedDisk {
  readonly definition: DiskDefinition;
  /** Whether the disk returns after a reboot. */
  readonly isKept: boolean;
}

/** An invalid file. */
export interface NonsenseFile {
  readonly name: string;
  readonly path: string;
  readonly isKept: boolean;
  readonly error: Error;
}

/** The files of all disks: persistent ones, which people may also write, and those that a reboot removes. */
export class DiskFiles {
  readonly #kept: DiskDirectory;
  readonly #runtime: DiskDirectory;
  readonly #defaults: DiskDefaults;

  constructor(kept: string, runtime: string, defaults: DiskDefaults) {
    this.#kept = new DiskDirectory(kept);
    this.#runtime = new DiskDirectory(runtime);
    this.#defaults = defaults;
  }

  pathOf(name: string, isKept: boolean): string {
    return this.#directory(isKept).pathOf(name);
  }

  /**
   * Names of all disks with files.
   *
   * @throws system errors if a directory cannot be read
   */
  async names(): Promise<string[]> {
    return (await Promise.all([this.#kept.names(), this.#runtime.names()])).flat();
  }

  /** The disk that the files of a name define, and the invalid files. A kept disk takes precedence. */
  async find(name: string): Promise<{ wanted: WantedDisk | undefined; nonsense: NonsenseFile[] }> {
    let wanted: WantedDisk | undefined;
    const nonsense: NonsenseFile[] = [];
    for (const isKept of [true, false]) {
      const said = await this.#directory(isKept).find(name);
      if (said === undefined) continue;
      const path = this.pathOf(name, isKept);
      try {
        if (said instanceof Error) throw said;
        if (wanted !== undefined) {
          throw new AttachError("SIPHON_USAGE", `${this.pathOf(name, true)} has the same name`);
        }
        wanted = { definition: await defineDisk(name, said, this.#defaults), isKept };
      } catch (error) {
        nonsense.push({ name, path, isKept, error: error as Error });
      }
    }
    return { wanted, nonsense };
  }

  write(name: string, words: DiskWords, isKept: boolean): Promise<void> {
    return this.#directory(isKept).write(name, words);
  }

  /** The rest of the file stays unchanged. */
  async setWord(name: string, isKept: boolean, word: string, value: string | undefined): Promise<void> {
    const directory = this.#directory(isKept);
    await directory.write(name, withWord(await directory.text(name), word, value));
  }

  remove(name: string, isKept: boolean): Promise<void> {
    return this.#directory(isKept).remove(name);
  }

  #directory(isKept: boolean): DiskDirectory {
    return isKept ? this.#kept : this.#runtime;
  }
}
