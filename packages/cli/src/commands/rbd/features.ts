import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { type SpecFlags, usage, wholeImageSpec, withSpecFlags } from "./image-spec.ts";
import { withImage } from "./run.ts";
import { checkOthers, featureOption, type ShapeFlags, withJournalFlags } from "./shape.ts";

type Flags = ConnectFlags & SpecFlags;

export function featureCommand(): Command {
  const feature = new Command("feature").summary("features of an image: enable, disable");
  feature.addCommand(changing("enable", true));
  feature.addCommand(changing("disable", false));
  return feature;
}

function changing(name: string, enable: boolean): Command {
  const command = (enable ? withJournalFlags(new Command(name)) : new Command(name))
    .summary(`${name} features of an image`)
    .argument("[image-spec]")
    .argument(
      "[features...]",
      "separated by commas or blanks: exclusive-lock, object-map, fast-diff, deep-flatten",
    )
    .action((text: string | undefined, features: string[], flags: Flags & ShapeFlags) => {
      checkOthers(flags);
      const words = flags.image === undefined || text === undefined ? features : [text, ...features];
      const spec = wholeImageSpec(flags.image === undefined ? text : undefined, flags);
      if (words.length === 0) throw usage("at least one feature name must be specified");
      const asked = words
        .flatMap((word) => word.split(","))
        .reduce((sum, word) => sum | featureOption(word), 0);
      return withImage(flags, spec, {}, (image) => image.updateFeatures(asked, enable));
    });
  return withConnectFlags(withSpecFlags(command));
}
