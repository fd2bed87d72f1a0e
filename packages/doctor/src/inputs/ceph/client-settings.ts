import type { Fact } from "../../model/place.ts";
import type { Vm } from "../../model/vm.ts";
import { monitorsOf } from "../monitors.ts";
import { isOnlyNone } from "../qemu/source.ts";
import { type CephSetting, isForClients } from "./conf.ts";

/** Options that Ceph no longer reads, and the first release without them. */
const obsolete: Readonly<Record<string, { since: number; why: string }>> = {
  ms_async_max_op_threads: {
    since: 15,
    why: "ms_async_op_threads sets the number of messenger threads; the separate upper limit no longer exists.",
  },
};

/**
 * Adds ceph.conf's settings for all clients.
 *
 * @param release Ceph's major release, if the inputs name it
 */
export function applyCephConf(vm: Vm, conf: readonly CephSetting[], release?: number): void {
  const last = (key: string) =>
    conf.findLast((setting) => setting.key === key && isForClients(setting.section));
  const { settings } = vm;
  const fact = (setting: CephSetting): Fact<string> => ({
    value: `${setting.key} = ${setting.value}`,
    place: setting.place,
  });

  const plugins = last("rbd_plugins");
  const mode = last("rbd_persistent_cache_mode");
  if (
    plugins !== undefined &&
    /(^|[\s,;])pwl_cache($|[\s,;])/.test(plugins.value) &&
    /^(rwl|ssd)$/.test(mode?.value ?? "")
  )
    settings.pwlCache ??= fact(mode!);

  const size = conf.findLast(({ key }) => key === "osd_pool_default_size");
  if (size !== undefined && Number(size.value) === 1) settings.replicaOne ??= fact(size);

  const monitors = last("mon_host");
  if (monitors !== undefined && monitorsOf(monitors.value).length === 1) {
    const sections = new Set(
      conf.filter(({ section }) => /^mon\./.test(section)).map(({ section }) => section),
    );
    if (sections.size <= 1)
      settings.singleMonitor ??= { value: "mon_host names one monitor", place: monitors.place };
  }

  const secure = ["ms_client_mode", "ms_service_mode"]
    .map(last)
    .find((setting) => setting?.value.split(/[\s,;]+/)[0] === "secure");
  if (secure !== undefined) settings.secure ??= fact(secure);

  const policy = last("rbd_cache_policy");
  if (policy !== undefined) settings.cachePolicy ??= policy.value;

  const authentication = last("auth_client_required") ?? last("auth_supported");
  if (authentication !== undefined && isOnlyNone(authentication.value))
    settings.authNone ??= fact(authentication);

  for (const setting of conf) {
    const known = Object.hasOwn(obsolete, setting.key) ? obsolete[setting.key]! : undefined;
    if (known === undefined || (release !== undefined && release < known.since)) continue;
    settings.obsolete ??= [];
    settings.obsolete.push({
      value: { option: setting.key, why: known.why, harmful: false },
      place: setting.place,
    });
  }
}
