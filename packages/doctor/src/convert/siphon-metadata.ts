import type { InputFile } from "../inputs/input.ts";
import { type Element, readXml } from "../inputs/xml.ts";

/**
 * The metadata of a libvirt domain that describes the disks that siphon serves:
 *
 *     <siphon:attach xmlns:siphon='urn:siphon:attach'>
 *       <siphon:disk name='NAME' target='vda' image='POOL/IMAGE' vhost='SOCKET' limit='...'>the disk as it was</siphon:disk>
 *     </siphon:attach>
 *
 * The attributes other than `name` and `target` are the keys of a disk file of `siphon attachd`.
 */
export interface SiphonDisk {
  readonly name: string;
  /** The disk's target in the domain, such as `vda`. */
  readonly target: string;
  readonly words: Readonly<Record<string, string>>;
}

export const siphonNamespace = "urn:siphon:attach";

/**
 * The disks of a domain that siphon serves.
 *
 * @throws DoctorError SIPHON_BAD_INPUT if the text is not XML
 */
export function siphonDisks(file: InputFile): SiphonDisk[] {
  return diskElements(domainOf(readXml(file))).map(({ node }) => {
    const { name = "", target = "", ...words } = node.attributes;
    return { name, target, words };
  });
}

export function domainOf(root: Element): Element | undefined {
  return root.name === "domain" ? root : root.find("domain");
}

/** The `<siphon:attach>` element that holds all disks. */
export function attachElement(domain: Element | undefined): Element | undefined {
  return domain
    ?.find("metadata")
    ?.all("attach")
    .find(({ node }) => Object.entries(node.attributes).some(([name, value]) => isNamespace(name, value)));
}

export function diskElements(domain: Element | undefined): Element[] {
  return attachElement(domain)?.all("disk") ?? [];
}

function isNamespace(name: string, value: string): boolean {
  return name.startsWith("xmlns") && value === siphonNamespace;
}
