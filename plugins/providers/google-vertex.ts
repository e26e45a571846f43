/**
 * Google's models on Vertex AI: the same wire format at the URL of a project, with a bearer token that the caller's own
 * library (or `gcloud auth print-access-token`) provides. A target's region is the location.
 */
import {
  cardsOf,
  defined,
  definePlugin,
  type EmbeddingBatch,
  httpProvider,
  type ModelCard,
  PolyphonyError,
  type Provider,
  rememberSecret,
  type Target,
  type VendorOptions,
} from 'polyphony/kit';
import { CHAT_MODELS, EMBEDDING_MODELS } from './google/cards.ts';
import { type EmbeddingCall, encodePrediction } from './google/embeddings.ts';
import { CHAT, factsOf, undescribed } from './google/facts.ts';
import { googleSearches } from './google/grounding.ts';
import { type GeminiWireOptions, geminiWire } from './google/wire.ts';

export interface GoogleVertexOptions extends Omit<VendorOptions, 'apiKey' | 'apiKeys'> {
  /** Called at each request, so it should cache the token until it expires. */
  readonly accessToken: () => Promise<string>;
  /** @default the environment's GOOGLE_CLOUD_PROJECT */
  readonly project?: string;
  /** The location of targets without a region. @default GOOGLE_CLOUD_LOCATION, else 'global' */
  readonly location?: string;
  /** Locations that the router may choose among. @default the one location */
  readonly regions?: readonly string[];
  /** URL up to the publisher (`…/publishers/google`), or a function of the target. @default by project and location */
  readonly baseURL?: string | ((target: Target) => string);
}

/** The vendor ended the whole generation here on one day, earlier than on its other API. */
const ENDED = { stage: 'retired', endsOn: '2026-10-20' } as const;
const MODELS = [...CHAT_MODELS, ...EMBEDDING_MODELS].map((model) =>
  model.id.startsWith('gemini-2.5-') ? { ...model, lifecycle: ENDED } : model,
);

/** @throws invalid-config when an option is malformed */
export function googleVertex(options: GoogleVertexOptions): Provider {
  const {
    accessToken,
    project,
    location,
    id = 'google-vertex',
    models = MODELS,
    baseURL,
    embeddingBatch = batchOf,
    ...rest
  } = options;
  const headers = async (): Promise<Record<string, string>> => {
    const token = await accessToken();
    rememberSecret(token);
    return { authorization: `Bearer ${token}` };
  };
  const wire = geminiWire({
    headers,
    embedding: onVertex,
    counted: (_model, { contents, systemInstruction, tools, generationConfig }) =>
      defined({ contents, systemInstruction, tools, generationConfig }),
  });
  return httpProvider({
    ...rest,
    id,
    wire,
    baseURL: baseURL ?? ((target) => addressOf(target, project, location)),
    models: cardsOf(models, CHAT, undescribed),
    unlisted: undescribed,
    embeddingBatch,
    searches: googleSearches(id),
    async probe({ baseURL: address }) {
      // The list of models belongs to no project: this header names the project whose quota is used.
      const payer = project ?? process.env.GOOGLE_CLOUD_PROJECT;
      return {
        url: `${new URL(address).origin}/v1beta1/publishers/google/models?pageSize=1`,
        headers: { ...(await headers()), ...(payer ? { 'x-goog-user-project': payer } : {}) },
      };
    },
  });
}

function addressOf(target: Target, givenProject: string | undefined, givenLocation: string | undefined): string {
  const project = givenProject ?? process.env.GOOGLE_CLOUD_PROJECT;
  const location = target.region ?? givenLocation ?? (process.env.GOOGLE_CLOUD_LOCATION || 'global');
  if (!project) {
    throw new PolyphonyError('invalid-config', 'There is no project: set GOOGLE_CLOUD_PROJECT, or pass project.');
  }
  for (const part of [project, location]) {
    if (/^[a-z0-9][a-z0-9.:-]*$/i.test(part)) continue;
    throw new PolyphonyError('invalid-config', `"${part}" is not a valid project or location: correct the option.`);
  }
  return `https://${hostOf(location)}/v1/projects/${project}/locations/${location}/publishers/google`;
}

/** One host per location, except the global one and the two that span a continent. */
function hostOf(location: string): string {
  if (location === 'global') return 'aiplatform.googleapis.com';
  return location === 'us' || location === 'eu'
    ? `aiplatform.${location}.rep.googleapis.com`
    : `${location}-aiplatform.googleapis.com`;
}

/** As cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings says. */
const batchOf = ({ id }: ModelCard): EmbeddingBatch =>
  id.includes('gemini-embedding') ? { texts: 1 } : { texts: 250, tokens: 20_000 };

/** Vertex has no batches: newer models embed one text per request, older ones use a form of their own. */
const onVertex: NonNullable<GeminiWireOptions['embedding']> = (call, request, { card }): EmbeddingCall => {
  if (!factsOf(card).taskInText) return encodePrediction(request);
  if (call.method === 'embedContent') return call;
  const { length } = request.input;
  throw new PolyphonyError(
    'unsupported',
    `${card.id} embeds only one text per request here, not ${length}: send one request per text.`,
  );
};

/** The token in CLOUDSDK_AUTH_ACCESS_TOKEN, which the vendor's own command reads as well. */
async function tokenFromEnvironment(): Promise<string> {
  const token = process.env.CLOUDSDK_AUTH_ACCESS_TOKEN?.trim();
  if (token) return token;
  throw new PolyphonyError(
    'invalid-credential',
    'There is no access token: set CLOUDSDK_AUTH_ACCESS_TOKEN, or pass accessToken.',
  );
}

export default definePlugin({
  name: 'google-vertex',
  providers: [googleVertex({ accessToken: tokenFromEnvironment })],
});
