import { noRungs } from "../rungs/elsewhere.ts";
import { findOffers } from "../rungs/offers.ts";
import { furtherRungsOf, planRungs, rungsOf } from "../rungs/plan.ts";
import { imageOffers } from "./further-images.ts";
import { localOffers } from "./local-target.ts";
import type { LadderOptions } from "./options.ts";
import { findPlatforms } from "./platforms.ts";

/** A rung as a list shows it. */
export interface ListedRung {
  name: string;
  title: string;
  /** Undefined if it is not a rung on any host. */
  why?: string;
  /** The rung that it changes, for further rungs. */
  on?: string;
  /** Documentation of the setting. */
  source?: string;
  /**
   * Why it is unavailable with these options on this host; undefined if it is available, as far as is known without the
   * cluster.
   */
  missing?: string;
}

/** All rungs of the mode, further rungs last, then settings that are not rungs. Starts nothing. */
export async function listRungs(options: LadderOptions): Promise<ListedRung[]> {
  const { mode, vm, librbd, existing } = options;
  const { qemu } = await findPlatforms(options);
  const ofMachine = await findOffers({ ...vm, librbdDir: librbd, qemu });
  const offers = { ...ofMachine, ...(existing ? {} : localOffers(options)), ...imageOffers(options) };
  const further = furtherRungsOf(mode);
  const all = [...rungsOf(mode), ...further];
  const planned = planRungs(
    mode,
    offers,
    all.map(({ name }) => name),
  );
  const listed = all.map(({ name, title, why }): ListedRung => {
    const plan = planned.find(({ rung }) => rung.name === name)!;
    const own = further.find((rung) => rung.name === name);
    return {
      ...{ name, title, why },
      ...(own && { on: own.on, source: own.source }),
      ...(plan.status === "skipped" && { missing: plan.reason }),
    };
  });
  const none = noRungs.map(({ name, title, reason, source }) => ({ name, title, source, missing: reason }));
  return [...listed, ...(mode === "published" ? [] : none)];
}
