/**
 * The one Trusted Types policy, `app`: script URLs come from a fixed list on this origin and
 * nothing else passes (spec: Security, strict policy).
 */

interface Policy {
  createScriptURL(url: string): unknown;
}

interface PolicyFactory {
  createPolicy(name: string, rules: Policy): Policy;
}

/** Makes the policy, admitting exactly `urls`, and answers how to name one of them. */
export function trustScripts(urls: readonly string[]): (url: string) => URL {
  const rules: Policy = {
    createScriptURL(url) {
      if (!urls.includes(url)) throw new TypeError(`not a script of this site: ${url}`);
      return new URL(url, document.baseURI).href;
    },
  };
  const factory = (globalThis as { trustedTypes?: PolicyFactory }).trustedTypes;
  const policy = factory ? factory.createPolicy("app", rules) : rules;
  // The DOM's own types do not know TrustedScriptURL yet; where a URL goes, it may go.
  return (url) => policy.createScriptURL(url) as URL;
}
