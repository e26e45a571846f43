/** Thought signatures and call ids, as canonical parts store them. */

/** A call's signature names the provider that made it, so that it is sent to no other one. */
export const signed = (signature: string, provider: string): string => `${provider}:${signature}`;

export function signatureFor(signature: string | undefined, provider: string): string | undefined {
  return signature?.startsWith(`${provider}:`) === true ? signature.slice(provider.length + 1) : undefined;
}

const OWN = 'unnamed_';

/** An id for a call that came without one: unique among answers, and never sent back. */
export const ownId = (response: string, index: number): string => `${OWN}${response}_${index}`;

export const isOwnId = (id: string): boolean => id.startsWith(OWN);
