import { formatEncrypted, imageFeature, readPassphrase } from "@siphon/rbd";
import { SiphonError } from "@siphon/wire";
import { Command } from "commander";
import type { ConnectFlags } from "../../cluster-options.ts";
import { withConnectFlags } from "../../connect.ts";
import { luksVersion } from "./encryption-flags.ts";
import { badOption, type SpecFlags, usage, wholeImageSpec, withSpecFlags } from "./image-spec.ts";
import { withImage } from "./run.ts";

type Flags = ConnectFlags & SpecFlags & { cipherAlg: string };

export function encryptionCommand(): Command {
  const command = new Command("format")
    .summary("set up encryption of an image; its data is lost")
    .argument("[image-spec]")
    .argument("[format]", "luks1 or luks2")
    .argument("[passphrase-file]", "file whose bytes are the passphrase, including a line end")
    .option("--cipher-alg <algorithm>", "aes-128 or aes-256", "aes-256")
    .action(
      async (
        first: string | undefined,
        second: string | undefined,
        third: string | undefined,
        flags: Flags,
      ) => {
        const keyBits = keyBitsOf(flags.cipherAlg);
        const words = [first, second, third];
        const spec = wholeImageSpec(flags.image === undefined ? words.shift() : undefined, flags);
        const [format, path] = words;
        if (format === undefined) throw usage("must specify format.", "luks1 or luks2");
        if (path === undefined) throw usage("must specify passphrase-file.");
        const version = luksVersion(format);
        using passphrase = await readPassphrase(path);
        await withImage(flags, spec, {}, async (image) => {
          if ((image.header.features & imageFeature.journaling) !== 0) {
            throw new SiphonError(
              "SIPHON_RBD_UNSUPPORTED",
              "images with feature journaling cannot be encrypted",
            );
          }
          const { objectSize, stripeCount } = image.header;
          const isClone = image.header.parent !== undefined;
          const alignment = objectSize * stripeCount;
          await formatEncrypted(image, passphrase, { version, keyBits, alignment, isClone });
        });
      },
    );
  return new Command("encryption")
    .summary("encryption of images: format")
    .addCommand(withConnectFlags(withSpecFlags(command)));
}

function keyBitsOf(algorithm: string): 128 | 256 {
  if (algorithm === "aes-128" || algorithm === "aes-256") return algorithm === "aes-128" ? 128 : 256;
  throw badOption(`there is no cipher ${algorithm}: aes-128 or aes-256`);
}
