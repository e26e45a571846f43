/** Credentials: a bearer token, or an access key that signs every request (SigV4). */
import { AwsV4Signer } from 'aws4fetch';
import { apiKeysOf, PolyphonyError, rememberSecret, type Secret, type WireContext } from 'polyphony/kit';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Only for temporary credentials. */
  readonly sessionToken?: string;
}

/** The available credentials. The gateway rotates over `secrets`: bearer tokens, and the secrets of access keys. */
export interface Credentials {
  readonly secrets: () => readonly string[];
  /** Called at each request where it is given: a chain that refreshes temporary credentials. */
  readonly provide: (() => Promise<AwsCredentials>) | undefined;
  readonly ofSecret: (secret: string) => AwsCredentials | undefined;
}

export interface CredentialOptions {
  /** A Bedrock API key, sent as a bearer token. @default AWS_BEARER_TOKEN_BEDROCK */
  readonly apiKey?: Secret;
  readonly apiKeys?: readonly Secret[];
  /** @default AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN */
  readonly credentials?: AwsCredentials | readonly AwsCredentials[] | (() => Promise<AwsCredentials>);
}

export function credentialsOf({ apiKey, apiKeys, credentials }: CredentialOptions): Credentials {
  const provide = typeof credentials === 'function' ? credentials : undefined;
  const given = typeof credentials === 'function' || credentials === undefined ? [] : [credentials].flat();
  const isGiven = (apiKeys ?? [apiKey]).some((key) => key !== undefined);
  const tokens = isGiven ? apiKeysOf({ apiKey, apiKeys }) : () => [];
  const named = isGiven || given.length > 0 || provide !== undefined;
  const pairs = (): readonly AwsCredentials[] => (named || bearerOfEnvironment() ? given : pairOfEnvironment());
  return {
    provide,
    secrets() {
      const environment = named ? undefined : bearerOfEnvironment();
      return [...tokens(), ...(environment ? [environment] : []), ...pairs().map((pair) => pair.secretAccessKey)];
    },
    ofSecret: (secret) =>
      pairs()
        .map(trimmed)
        .find((pair) => pair.secretAccessKey === secret),
  };
}

const bearerOfEnvironment = (): string | undefined =>
  apiKeysOf({}, 'AWS_BEARER_TOKEN_BEDROCK')()[0]?.trim() || undefined;

/** White space around a key comes from files and copies; a signature made with it is wrong. */
const trimmed = ({ accessKeyId, secretAccessKey, sessionToken, ...rest }: AwsCredentials): AwsCredentials => ({
  ...rest,
  accessKeyId: accessKeyId.trim(),
  secretAccessKey: secretAccessKey.trim(),
  ...(sessionToken?.trim() ? { sessionToken: sessionToken.trim() } : {}),
});

function pairOfEnvironment(): readonly AwsCredentials[] {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = process.env;
  if (!AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return [];
  const pair = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  return [AWS_SESSION_TOKEN ? { ...pair, sessionToken: AWS_SESSION_TOKEN } : pair];
}

export interface Unsigned {
  readonly url: string;
  readonly body: string;
  readonly region: string;
}

/**
 * The headers that authenticate a request.
 *
 * @throws invalid-credential when there is no credential
 */
export async function authorise(
  credentials: Credentials,
  { url, body, region }: Unsigned,
  { apiKey, clock }: Pick<WireContext, 'apiKey' | 'clock'>,
): Promise<Record<string, string>> {
  const provided = await credentials.provide?.();
  const pair =
    (provided === undefined ? undefined : trimmed(provided)) ??
    (apiKey === undefined ? undefined : credentials.ofSecret(apiKey));
  if (pair === undefined) {
    if (apiKey !== undefined) return { authorization: `Bearer ${apiKey}` };
    throw new PolyphonyError(
      'invalid-credential',
      'There is no credential: set AWS_BEARER_TOKEN_BEDROCK, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    );
  }
  rememberSecret(pair.secretAccessKey);
  if (pair.sessionToken !== undefined) rememberSecret(pair.sessionToken);
  const signer = new AwsV4Signer({
    ...pair,
    method: 'POST',
    url,
    body,
    region,
    service: 'bedrock',
    headers: {},
    datetime: new Date(clock.now()).toISOString().replace(/[:-]|\.\d{3}/g, ''),
  });
  const signed = await signer.sign();
  return Object.fromEntries(signed.headers);
}
