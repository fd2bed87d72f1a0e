/** Replaces a secret. */
const hidden = "***";

/** Removes text that looks like a key or a password: cephx keys, and the values of key=, password= and similar. */
export function redact(text: string): string {
  return (
    text
      .replace(
        /(^|[^\w-])(key|password|passwd|secret|data|passphrase)=((?:\\.|[^:,\s"'])+)/gi,
        `$1$2=${hidden}`,
      )
      // XML attributes: <graphics passwd='...'>.
      .replace(/(\s(?:key|password|passwd|secret|passphrase)=)("[^"]*"|'[^']*')/gi, `$1"${hidden}"`)
      .replace(/("(?:key|password|data|iv|secret)"\s*:\s*)"[^"]*"/gi, `$1"${hidden}"`)
      // Configuration lines, and URLs with a password.
      .replace(
        /^([-+ ]?[ \t]*[\w.]*(?:passw(?:or)?d|passphrase|userKey|adminKey)[ \t]*[:=][ \t]*)\S.*$/gim,
        `$1${hidden}`,
      )
      .replace(/(:\/\/[^:@/\s]+:)[^@/\s]+@/g, `$1${hidden}@`)
      // A whole key, even directly after other text.
      .replace(/A[Qg][A-Za-z0-9+/]{36,62}={1,2}/g, hidden)
      .replace(/\bA[Qg][A-Za-z0-9+/]{30,}={0,2}(?![\w/])/g, hidden)
  );
}
