/** Whether an image has the name of a seed image for a guest's first boot: Nova's config drive, Proxmox's and cloud-init's names. */
export function isSeedImage(image: string | undefined): boolean {
  return /(_disk\.config|(^|[-_.])(cloud-?init|cidata|seed))(\.(iso|img|raw))?$/i.test(image ?? "");
}
