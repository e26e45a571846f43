/** Thought signatures and ids of calls, as they travel through canonical parts. */

/** A call's signature names the provider that made it, so that no other one is sent it. */
export const signed = (signature: string, provider: string): string => `${provider}:${signature}`;

export function signatureFor(signature: string | undefined, provider: string): string | undefined {
  return signature?.startsWith(`${provider}:`) === true ? signature.slice(provider.length + 1) : undefined;
}

const OWN = 'unnamed_';

/** For calls that came without an id: unlike those of other answers, and never sent back. */
export const ownId = (response: string, index: number): string => `${OWN}${response}_${index}`;

export const isOwnId = (id: string): boolean => id.startsWith(OWN);
