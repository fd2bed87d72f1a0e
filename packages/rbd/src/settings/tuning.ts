import { requestFlag } from "@siphon/rados/engine";
import type { IoTuning } from "../io/io-tuning.ts";
import type { Settings } from "./settings.ts";

/**
 * Tuning of an image's requests by settings (ImageCtx::get_read_flags and apply_metadata).
 *
 * @param reads the target of reads: the current image, a snapshot of it, or the parents of both
 */
export function tuningOf(
  settings: Pick<Settings, "flag" | "number" | "text">,
  reads: "head" | "snapshot" | "parent",
): IoTuning {
  const isPartial = settings.flag("rbd_skip_partial_discard");
  return {
    readFlags: readFlags(settings, reads),
    hintFlags: settings.flag("rbd_enable_alloc_hint")
      ? hintFlags[settings.text("rbd_compression_hint")]
      : undefined,
    discardGranularity: isPartial ? settings.number("rbd_discard_granularity_bytes") : 0,
  };
}

function readFlags(settings: Pick<Settings, "flag" | "text">, reads: "head" | "snapshot" | "parent"): number {
  if (reads === "parent") {
    if (settings.flag("rbd_balance_parent_reads")) return requestFlag.balanceReads;
    if (settings.flag("rbd_localize_parent_reads")) return requestFlag.localizeReads;
  }
  const policy = policyFlags[settings.text("rbd_read_from_replica_policy")] ?? 0;
  if (policy !== 0 || reads === "head") return policy;
  if (settings.flag("rbd_balance_snap_reads")) return requestFlag.balanceReads;
  return settings.flag("rbd_localize_snap_reads") ? requestFlag.localizeReads : 0;
}

const policyFlags: Readonly<Record<string, number>> = {
  balance: requestFlag.balanceReads,
  localize: requestFlag.localizeReads,
};

/** CEPH_OSD_ALLOC_HINT_FLAG_*. */
const hintFlags: Readonly<Record<string, number>> = { none: 0, compressible: 256, incompressible: 512 };
