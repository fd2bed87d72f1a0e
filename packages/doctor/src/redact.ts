/** Text in a secret's place. */
const hidden = "***";

/** Takes out what looks like a key or a password: cephx keys, and the values of key=, password= and their like. */
export function redact(text: string): string {
  return (
    text
      .replace(
        /(^|[^\w-])(key|password|passwd|secret|data|passphrase)=((?:\\.|[^:,\s"'])+)/gi,
        `$1$2=${hidden}`,
      )
      // Attributes of XML: <graphics passwd='...'>.
      .replace(/(\s(?:key|password|passwd|secret|passphrase)=)("[^"]*"|'[^']*')/gi, `$1"${hidden}"`)
      .replace(/("(?:key|password|data|iv|secret)"\s*:\s*)"[^"]*"/gi, `$1"${hidden}"`)
      // Lines of configurations, and URLs that carry a password.
      .replace(
        /^([-+ ]?[ \t]*[\w.]*(?:passw(?:or)?d|passphrase|userKey|adminKey)[ \t]*[:=][ \t]*)\S.*$/gim,
        `$1${hidden}`,
      )
      .replace(/(:\/\/[^:@/\s]+:)[^@/\s]+@/g, `$1${hidden}@`)
      // A whole key, also where other text stands right before it.
      .replace(/A[Qg][A-Za-z0-9+/]{36,62}={1,2}/g, hidden)
      .replace(/\bA[Qg][A-Za-z0-9+/]{30,}={0,2}(?![\w/])/g, hidden)
  );
}
