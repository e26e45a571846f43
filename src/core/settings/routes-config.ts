/** Where requests go by their name or by what they are about, and how the class of a request is found. */
import type { Tier } from '../model/request.ts';

/** Models for a kind of request, and the limits that each call of it keeps. */
export interface RouteConfig {
  /** Models tried in this order, 1 to 20. Either this or `tier`. @default the models of the tier, as the router orders them */
  readonly chain?: readonly string[];
  /** The tier of the first choice, in place of a chain. @default none */
  readonly tier?: Tier;
  /** The most that a call may cost, in US dollars; a request may set a lower limit. @default none */
  readonly usd?: number;
  /**
   * The 95th percentile of the time of an answer that a model of the route may have, in milliseconds. While one has a higher one, the next
   * comes before it. @default none
   */
  readonly p95Ms?: number;
  /** How long an observed answer counts for that, in milliseconds. @default 300000 */
  readonly windowMs?: number;
  /** Languages that a model must support, as BCP 47 tags, at most 20; added to those of the request. @default none */
  readonly languages?: readonly string[];
  /** Regions in which a model must run, at most 20; a request may narrow them. @default any */
  readonly regions?: readonly string[];
  /** `none`: only models whose providers keep nothing. @default any */
  readonly retention?: 'none';
}

/** A class of requests: which are of it, and the route that they take. */
export interface TaskConfig {
  /** The route that its requests take. @default the route that has the name of the task */
  readonly route?: string;
  /** What belongs to it, in a sentence, for the model that classifies, at most 500 characters. @default its name */
  readonly description?: string;
  /** Rules of which one is enough, at most 20. The first task with a rule that fits is taken. @default none */
  readonly when?: readonly TaskRuleConfig[];
  /** Requests that belong to it, at most 500 of 2000 characters, with which others are compared by their words. @default none */
  readonly examples?: readonly string[];
}

/** All that is given must hold of the last message of the user. */
export interface TaskRuleConfig {
  /** One of these words or phrases occurs in it, whatever the case, at most 200. */
  readonly words?: readonly string[];
  /** It holds one of these. */
  readonly attachments?: readonly ('image' | 'audio' | 'video' | 'file')[];
  /** The request offers tools, or does not. */
  readonly tools?: boolean;
  /** The request asks for JSON, or does not. */
  readonly json?: boolean;
  /** It is in one of these languages (BCP 47), as far as that can be told from it, at most 20. */
  readonly languages?: readonly string[];
  /** The request has at least so many tokens, estimated. */
  readonly minTokens?: number;
  /** The request has at most so many tokens, estimated. */
  readonly maxTokens?: number;
}

/** What is asked where no rule fits. */
export interface ClassifyConfig {
  /** How sure the comparison with examples must be, 0 to 1. @default 0.6 */
  readonly certainty?: number;
  /** The model that is asked where rules and examples do not tell. @default none is asked */
  readonly model?: string;
  /** The most that asking it may cost, in US dollars. @default 0.001 */
  readonly usd?: number;
  /** How long a call may wait for that, in milliseconds. @default 5000 */
  readonly ms?: number;
  /** Classes that it gave are kept for so many requests, 0 to 100000. @default 5000 */
  readonly kept?: number;
  /** The route of requests of no known class. @default the router's choice */
  readonly otherwise?: string;
}
