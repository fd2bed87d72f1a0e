import { readFile } from "node:fs/promises";
import { LabError } from "../errors.ts";
import { writeFiles } from "../results/write-files.ts";
import { foldedStacks } from "./formats/folded.ts";
import { speedscope } from "./formats/speedscope.ts";
import { treeText } from "./formats/tree-text.ts";
import { type Profile, profileSchema } from "./profile.ts";
import { profileHtml } from "./profile-page.ts";

/** Paths of a profile's files. */
export interface ProfileFiles {
  /** The file that `readProfile` reads. */
  json: string;
  html: string;
  forward: string;
  inverse: string;
  folded: string;
  speedscope: string;
}

/**
 * Writes a profile into a directory, which it creates if necessary, in all forms; `name` is the prefix of the files.
 */
export async function writeProfile(
  directory: string,
  profile: Profile,
  name = "profile",
): Promise<ProfileFiles> {
  return writeFiles(directory, {
    json: [`${name}.json`, `${JSON.stringify(profile)}\n`],
    html: [`${name}.html`, profileHtml(profile)],
    forward: [`${name}.forward.txt`, treeText(profile, "forward")],
    inverse: [`${name}.inverse.txt`, treeText(profile, "inverse")],
    folded: [`${name}.folded`, foldedStacks(profile)],
    speedscope: [`${name}.speedscope.json`, `${JSON.stringify(speedscope(profile))}\n`],
  });
}

/** Reads a profile's JSON form again; throws SIPHON_NOT_FOUND or SIPHON_BAD_FILE. */
export async function readProfile(file: string): Promise<Profile> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new LabError("SIPHON_NOT_FOUND", `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  try {
    return profileSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new LabError("SIPHON_BAD_FILE", `cannot read ${file}: it is no profile of siphon`, { cause });
  }
}
