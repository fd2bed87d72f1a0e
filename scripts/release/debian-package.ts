import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { version } from "../../packages/wire/src/version.ts";
import { root } from "../build/checkout.ts";
import { manPages } from "./man-pages.ts";

/**
 * Makes a Debian package: the executable, man pages, completions, units for `siphon attach` and `siphon attachd`, hooks of
 * platforms, an AppArmor rule, a Grafana dashboard.
 *
 * @returns its file name
 */
export async function makeDebianPackage(executable: string, directory: string): Promise<string> {
  const tree = mkdtempSync(join(tmpdir(), "siphon-deb-"));
  try {
    const put = (path: string, content: string | Buffer) => {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), content, { mode: 0o644 });
    };
    const packaging = (path: string) => readFileSync(join(root, "packaging", path));
    mkdirSync(join(tree, "usr/bin"), { recursive: true });
    cpSync(executable, join(tree, "usr/bin/siphon"));
    chmodSync(join(tree, "usr/bin/siphon"), 0o755);
    for (const [name, page] of await manPages()) put(`usr/share/man/man1/${name}.gz`, zipped(page));
    for (const [shell, path] of completions) {
      put(path, execFileSync(executable, ["completion", shell], { encoding: "utf8" }));
    }
    put("usr/lib/systemd/system/siphon-attach@.service", packaging("systemd/siphon-attach@.service"));
    put("usr/lib/systemd/system/siphon-attachd.service", packaging("systemd/siphon-attachd.service"));
    put("etc/default/siphon-attachd", packaging("systemd/siphon-attachd.default"));
    put("usr/share/doc/siphon/examples/attach.env", packaging("systemd/example.env"));
    for (const hook of ["libvirt", "proxmox"]) {
      put(`usr/share/siphon/hooks/${hook}`, packaging(`hooks/${hook}`));
      chmodSync(join(tree, "usr/share/siphon/hooks", hook), 0o755);
    }
    put("etc/apparmor.d/abstractions/libvirt-qemu.d/siphon", packaging("apparmor/siphon"));
    put("usr/share/siphon/grafana/siphon-attach.json", packaging("grafana/siphon-attach.json"));
    put("usr/share/doc/siphon/copyright", packaging("debian/copyright"));
    put("usr/share/doc/siphon/changelog.gz", zipped(readFileSync(join(root, "CHANGELOG.md"), "utf8")));
    for (const each of ["attach", "disks.d"]) mkdirSync(join(tree, "etc/siphon", each), { recursive: true });
    const settings = ["apparmor.d/abstractions/libvirt-qemu.d/siphon", "default/siphon-attachd"];
    put("DEBIAN/conffiles", settings.map((path) => `/etc/${path}\n`).join(""));
    put("DEBIAN/control", control(Math.ceil(statSync(executable).size / 1024)));
    const name = `siphon_${version}_${architecture}.deb`;
    const build = ["--root-owner-group", "-Zxz", "-z1", "--build", tree, join(directory, name)];
    chmodSync(tree, 0o755);
    execFileSync("dpkg-deb", build, { stdio: ["ignore", "ignore", 2] });
    return name;
  } finally {
    rmSync(tree, { recursive: true });
  }
}

const architecture = process.arch === "arm64" ? "arm64" : "amd64";

const completions = [
  ["bash", "usr/share/bash-completion/completions/siphon"],
  ["zsh", "usr/share/zsh/vendor-completions/_siphon"],
  ["fish", "usr/share/fish/vendor_completions.d/siphon.fish"],
] as const;

/** @param size installed size, in KiB */
function control(size: number): string {
  return `Package: siphon
Version: ${version}
Architecture: ${architecture}
Maintainer: The Siphon authors <siphon@localhost>
Installed-Size: ${size}
Depends: libc6 (>= 2.28), libstdc++6 (>= 6)
Suggests: ceph-osd, ceph-mon, ceph-mgr, qemu-system-x86, qemu-block-extra, fio
Section: admin
Priority: optional
Description: VMs on Ceph, measured and made fast
 A client for RADOS and RBD that needs no librados, a server that attaches RBD images to
 VMs over vhost-user-blk and NBD, a doctor for VMs that run on Ceph, and a lab that
 measures what each setting of a VM's disk is worth.
`;
}

/** Without timestamps: the same sources make the same package. */
function zipped(text: string): Buffer {
  return gzipSync(text, { level: 9 });
}
