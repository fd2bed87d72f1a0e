import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LabError } from "../errors.ts";
import { unwritable } from "../results/file.ts";
import { foldedStacks } from "./formats/folded.ts";
import { speedscope } from "./formats/speedscope.ts";
import { treeText } from "./formats/tree-text.ts";
import { type Profile, profileSchema } from "./profile.ts";
import { profileHtml } from "./profile-page.ts";

/** Paths of what a profile consists of. */
export interface ProfileFiles {
  /** What `readProfile` reads again. */
  json: string;
  html: string;
  forward: string;
  inverse: string;
  folded: string;
  speedscope: string;
}

/** Writes a profile into a directory (made if need be) in all forms; `name` begins the names of the files. */
export async function writeProfile(
  directory: string,
  profile: Profile,
  name = "profile",
): Promise<ProfileFiles> {
  const files: ProfileFiles = {
    json: join(directory, `${name}.json`),
    html: join(directory, `${name}.html`),
    forward: join(directory, `${name}.forward.txt`),
    inverse: join(directory, `${name}.inverse.txt`),
    folded: join(directory, `${name}.folded`),
    speedscope: join(directory, `${name}.speedscope.json`),
  };
  const contents: Record<keyof ProfileFiles, string> = {
    json: `${JSON.stringify(profile)}\n`,
    html: profileHtml(profile),
    forward: treeText(profile, "forward"),
    inverse: treeText(profile, "inverse"),
    folded: foldedStacks(profile),
    speedscope: `${JSON.stringify(speedscope(profile))}\n`,
  };
  let path = directory;
  try {
    await mkdir(directory, { recursive: true });
    for (const form of Object.keys(files) as (keyof ProfileFiles)[]) {
      path = files[form];
      await writeFile(path, contents[form]);
    }
  } catch (cause) {
    throw unwritable(path, cause);
  }
  return files;
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
