/** Valid ids of nodes, and the heads of references that are not nodes. */

export const NODE_ID = /^[a-z][a-z0-9_]{0,39}$/;
export const REFERENCE_HEADS = ['input', 'item', 'index', 'prev', 'self'] as const;

/** Valid names of workflows: those of a plan, and the ids of built ones. */
export const WORKFLOW_NAME = /^[a-z][a-z0-9_-]{0,60}$/;
