import { type Group, type GroupImage, ImagePool } from "@siphon/rbd";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { groupIfThere } from "./find-group.ts";
import { type GroupFlags, groupSpec, withGroupFlags } from "./group-spec.ts";
import { imageSpec, listedImage, usage } from "./image-spec.ts";
import { type FormatFlags, print, withFormatFlags } from "./output.ts";
import { withPool } from "./run.ts";

export function groupImageCommand(): Command {
  const image = new Command("image").summary("the images of a group: add, ls, rm");
  image.addCommand(
    onMember("add", "take an image into a group", (group, images, name) => group.add(name, images)),
  );
  image.addCommand(list());
  image.addCommand(
    onMember("rm", "take an image out of a group; its data stays", (group, images, name, { imageId }) =>
      imageId === undefined ? group.remove(name, images) : group.removeById(imageId, images),
    )
      .alias("remove")
      .option("--image-id <id>", "image by its id, also one in the trash"),
  );
  return image;
}

function list(): Command {
  const command = new Command("ls")
    .alias("list")
    .summary("list the images of a group")
    .argument("[group-spec]")
    .action((text: string | undefined, flags: ConnectFlags & GroupFlags & FormatFlags) => {
      const spec = groupSpec(text, flags);
      return withPool(flags, spec, async (images) => {
        const members = (await (await groupIfThere(images, spec))?.images()) ?? [];
        show(
          members.sort((a, b) => a.poolId - b.poolId || (a.name < b.name ? -1 : 1)),
          flags,
        );
      });
    });
  return withConnectFlags(withFormatFlags(withGroupFlags(command)));
}

function show(members: readonly GroupImage[], flags: FormatFlags): void {
  print(
    flags,
    () =>
      members
        .map((member) => `${listedImage(member)} ${member.state === "incomplete" ? member.state : ""}\n`)
        .join(""),
    () =>
      members.map(({ pool, namespace, name, state }) => ({
        ...{ image: name, pool, namespace, state: state === "incomplete" ? 1 : 0 },
      })),
    { root: "images", items: { images: "image" } },
  );
}

interface MemberFlags extends ConnectFlags {
  pool?: string;
  group?: string;
  groupPool?: string;
  groupNamespace?: string;
  image?: string;
  imagePool?: string;
  imageNamespace?: string;
  imageId?: string;
}

/** A command on a group and an image; an option may replace each argument. */
function onMember(
  verb: string,
  summary: string,
  action: (group: Group, images: ImagePool, name: string, flags: MemberFlags) => Promise<void>,
): Command {
  const command = new Command(verb)
    .summary(summary)
    .argument("[group-spec]")
    .argument("[image-spec]")
    .option("-p, --pool <pool>", "pool of both, unless given separately (default: rbd)")
    .option("--group-pool <pool>", "pool of the group")
    .option("--group-namespace <namespace>", "namespace of the group")
    .option("--group <group>", "group, instead of the argument")
    .option("--image-pool <pool>", "pool of the image")
    .option("--image-namespace <namespace>", "namespace of the image")
    .option("--image <image>", "image, instead of the argument")
    .action((first: string | undefined, second: string | undefined, flags: MemberFlags) => {
      const texts = [first, second];
      const spec = groupSpec(flags.group === undefined ? texts.shift() : undefined, {
        ...part(flags.groupPool ?? flags.pool, flags.groupNamespace),
        ...(flags.group !== undefined && { group: flags.group }),
      });
      const target = imageTarget(flags.image === undefined ? texts.shift() : undefined, flags);
      if (target.namespace !== spec.namespace) throw usage("group and image namespace must match.");
      return withPool(flags, spec, async ({ groups }, cluster) => {
        const images = await ImagePool.open(cluster, target.pool, { namespace: target.namespace });
        await action(await groups.open(spec.group), images, target.image, flags);
      });
    });
  return withConnectFlags(command);
}

function imageTarget(text: string | undefined, flags: MemberFlags) {
  const { imagePool, pool, imageNamespace, image, imageId } = flags;
  if (imageId !== undefined && (text ?? image) !== undefined) {
    throw usage("an image is named, or has an id: not both");
  }
  const name = image ?? imageId;
  const spec = imageSpec(text, {
    ...part(imagePool ?? pool, imageNamespace),
    ...(name !== undefined && { image: name }),
  });
  if (spec.snapshot !== undefined) throw usage("snapshot name specified for a command that doesn't use it");
  return spec;
}

function part(pool: string | undefined, namespace: string | undefined) {
  return { ...(pool !== undefined && { pool }), ...(namespace !== undefined && { namespace }) };
}
