/**
 * Whether an image is called as those are that only carry a guest's first settings: Nova's config drive, Proxmox's and
 * cloud-init's own names.
 */
export function isSeedImage(image: string | undefined): boolean {
  return /(_disk\.config|(^|[-_.])(cloud-?init|cidata|seed))(\.(iso|img|raw))?$/i.test(image ?? "");
}
