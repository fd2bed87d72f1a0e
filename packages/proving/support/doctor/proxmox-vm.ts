import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type GuestControl, qemuDefaults, smallGuest } from "@siphon/lab";
import { kill } from "../attach/run.ts";

export interface ProxmoxDisk {
  /** `pool/image:conf=...:id=...` */
  rbd: string;
  cache: "none" | "writeback";
}

/**
 * A VM as Proxmox's qemu-server starts one: a command line of the same form, with sockets for QMP and the guest agent.
 * It boots the small guest, with an additional disk that holds qemu-ga.
 */
export class ProxmoxVm implements AsyncDisposable {
  readonly pid: number;
  readonly name: string;
  readonly qmpSocket: string;
  /** All QMP output of QEMU. */
  readonly qmpLog: string;
  readonly guest: GuestControl;
  readonly #agent: string;
  readonly #child: ChildProcess;

  static async start(directory: string, id: number, name: string, disk: ProxmoxDisk): Promise<ProxmoxVm> {
    const at = (file: string) => join(directory, "qemu-server", `${id}.${file}`);
    mkdirSync(join(directory, "qemu-server"), { recursive: true });
    const guest = await smallGuest();
    const settings = { ...qemuDefaults, device: "virtio-blk" } as const;
    const boot = guest.boot({ accelerator: "tcg", settings, parameters: [] });
    if (boot.from !== "kernel" || boot.initramfs === undefined)
      throw new Error("the small guest has a kernel");
    const lines = [
      // Proxmox's own QEMU takes `-id 101` as well.
      ...["-name", `${name},debug-threads=on`, "-no-shutdown"],
      ...["-chardev", `socket,id=qmp,path=${at("qmp")},server=on,wait=off,logfile=${at("qmp.log")}`],
      ...["-mon", "chardev=qmp,mode=control", "-pidfile", at("pid")],
      ...["-smp", "2,sockets=1,cores=2,maxcpus=2", "-nodefaults", "-display", "none", "-no-reboot"],
      ...["-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-m", "512"],
      ...["-object", "iothread,id=iothread-virtioscsi0"],
      ...["-kernel", boot.kernel, "-initrd", boot.initramfs, "-append", boot.commandLine],
      ...["-chardev", `socket,path=${at("qga")},server=on,wait=off,id=qga0`],
      ...["-device", "virtio-serial,id=qga0,bus=pci.0,addr=0x8"],
      ...["-device", "virtserialport,chardev=qga0,name=org.qemu.guest_agent.0"],
      ...["-chardev", `socket,path=${at("control")},server=on,wait=off,id=control`],
      ...["-device", "virtserialport,chardev=control,name=siphon.agent"],
      ...["-serial", `file:${at("console")}`],
      ...["-device", "virtio-scsi-pci,id=virtioscsi0,bus=pci.0,addr=0x5,iothread=iothread-virtioscsi0"],
      "-drive",
      `file=rbd:${disk.rbd},if=none,id=drive-scsi0,discard=on,format=raw,cache=${disk.cache},aio=threads,detect-zeroes=unmap`,
      "-device",
      "scsi-hd,bus=virtioscsi0.0,channel=0,scsi-id=0,lun=0,drive=drive-scsi0,id=scsi0,bootindex=100",
      "-drive",
      `file=${agentDisk(directory)},if=none,id=drive-virtio1,format=raw,readonly=on,cache=none`,
      ...["-device", "virtio-blk-pci,drive=drive-virtio1,id=virtio1"],
      ...["-machine", "type=pc"],
    ];
    const log = openSync(at("log"), "w");
    const child = spawn("qemu-system-x86_64", lines, { stdio: ["ignore", log, log] });
    closeSync(log);
    await once(child, "spawn");
    try {
      while (!existsSync(at("control"))) {
        if (child.exitCode !== null) throw new Error(`QEMU ended: ${readFileSync(at("log"), "utf8")}`);
        await pause(50);
      }
      const control = await guest.connect({
        agentSocket: at("control"),
        timeoutMs: 120_000,
        qemuEnded: new Promise(() => {}),
      });
      return new ProxmoxVm(child, name, at, control);
    } catch (error) {
      await kill(child);
      throw error;
    }
  }

  private constructor(child: ChildProcess, name: string, at: (file: string) => string, guest: GuestControl) {
    this.#child = child;
    this.pid = child.pid!;
    this.name = name;
    this.qmpSocket = at("qmp");
    this.qmpLog = at("qmp.log");
    this.#agent = at("qga");
    this.guest = guest;
  }

  /** Runs qemu-ga in the guest until the VM ends. Returns once the agent has answered. */
  async startAgent(): Promise<void> {
    const script = `mkdir -p /agent /run /var/run && mount -t ext4 -o ro /dev/vda /agent &&
      port=$(grep -l org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name | cut -d/ -f5) &&
      (setsid /agent/ld.so --library-path /agent /agent/qemu-ga -m virtio-serial -p /dev/$port -t /run -f /run/ga.pid </dev/null >/run/ga.log 2>&1 &)
      true`;
    const { exitCode, stdout, stderr } = await this.guest.run(script);
    if (exitCode !== 0) throw new Error(`qemu-ga does not start in the guest: ${stdout}${stderr}`);
    // The request waits in the channel until the agent opens it.
    const socket = connect({ path: this.#agent, signal: AbortSignal.timeout(120_000) });
    socket.write('{"execute":"guest-sync","arguments":{"id":1}}\n');
    let said = "";
    try {
      for await (const data of socket) {
        said += data;
        if (/"return": ?1\b/.test(said)) return;
      }
    } catch (error) {
      const { stdout: log } = await this.guest.run("cat /run/ga.log");
      throw new Error(`qemu-ga does not answer: ${log}`, { cause: error });
    } finally {
      socket.destroy();
    }
    throw new Error(`qemu-ga hangs up after ${said}`);
  }

  async end(): Promise<void> {
    await kill(this.#child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guest[Symbol.asyncDispose]();
    await this.end();
  }
}

/** A file system with qemu-ga and its libraries, which the small guest lacks. */
function agentDisk(directory: string): string {
  const disk = join(directory, "agent.img");
  if (existsSync(disk)) return disk;
  const content = join(directory, "agent");
  mkdirSync(content);
  const program = execFileSync("sh", ["-c", "command -v qemu-ga"], { encoding: "utf8" }).trim();
  const libraries = execFileSync("ldd", [program], { encoding: "utf8" });
  for (const [, path] of libraries.matchAll(/(\/\S+) \(0x/g)) {
    const name = basename(path!);
    copyFileSync(path!, join(content, name.startsWith("ld-linux") ? "ld.so" : name));
  }
  copyFileSync(program, join(content, "qemu-ga"));
  execFileSync("mkfs.ext4", ["-q", "-F", "-d", content, disk, "32m"]);
  return disk;
}
