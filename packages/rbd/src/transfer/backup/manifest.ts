import { hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ExportedImage } from "../export-format.ts";
import { TransferError } from "../transfer-error.ts";
import { writeDurably } from "./durable-file.ts";

/** The content of a backup; one JSON file, with the SHA-256 of the rest of its text in its last field. */
export interface Manifest {
  readonly image: BackedUpImage;
  /** Oldest first; each is a diff from the previous one, the first from nothing. */
  readonly points: readonly BackupPoint[];
  /** The number of the next file. */
  readonly nextFile: number;
}

/** The source of the data, and the parameters to recreate the image. */
export interface BackedUpImage extends ExportedImage {
  /** pool/image or pool/namespace/image. */
  readonly spec: string;
  readonly id: string;
}

export interface BackupPoint {
  /** Name of the snapshot. */
  readonly name: string;
  /** In the backup's directory: a diff of format 1. */
  readonly file: string;
  /** Size of the image, in bytes. */
  readonly size: number;
  /** Size of the file. */
  readonly bytes: number;
  /** SHA-256 of the file; hexadecimal. */
  readonly sha256: string;
  /** When it was written; ISO 8601. */
  readonly created: string;
}

export async function readManifest(directory: string): Promise<Manifest> {
  const path = join(directory, manifestName);
  const text = await readFile(path, "utf8");
  const damaged = (what: string) =>
    new TransferError("SIPHON_TRANSFER_CORRUPT", `${path} ${what}`, {
      hint: "restore it from a copy of the directory: without it the diffs beside it cannot be used",
    });
  let content: Record<string, unknown>;
  try {
    content = JSON.parse(text);
  } catch {
    throw damaged("is not JSON");
  }
  const { sha256, ...rest } = content ?? {};
  if (rest.format !== formatName || rest.version !== formatVersion) {
    throw damaged(`is not the manifest of a backup of version ${formatVersion}`);
  }
  if (sha256 !== checksumOf(rest)) throw damaged("has changed since it was written: its checksum differs");
  // The checksum proves that the content is a `Stored`, as written below.
  const { image, points, nextFile } = rest as unknown as Stored;
  return { image: { ...image, metadata: new Map(image.metadata) }, points, nextFile };
}

export async function writeManifest(directory: string, manifest: Manifest): Promise<void> {
  const { image, points, nextFile } = manifest;
  const rest = {
    format: formatName,
    version: formatVersion,
    image: { ...image, metadata: [...image.metadata] },
    points,
    nextFile,
  };
  const text = JSON.stringify({ ...rest, sha256: checksumOf(rest) }, undefined, 2);
  await writeDurably(join(directory, manifestName), (file) => file.writeFile(`${text}\n`));
}

export const manifestName = "manifest.json";

const formatName = "siphon-backup";
const formatVersion = 1;

interface Stored {
  image: Omit<BackedUpImage, "metadata"> & { metadata: [string, string][] };
  points: BackupPoint[];
  nextFile: number;
}

function checksumOf(rest: object): string {
  return hash("sha256", JSON.stringify(rest));
}
