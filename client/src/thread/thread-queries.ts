import { eventSelection, messageSelection } from '../schema/selections.ts'

const message = `${messageSelection} siblings { index count ids }`

/** What a thread asks of the server. */
export const head = 'query ($id: ID!) { conversation(id: $id) { id title cursor activeLeaf { id } } }'

export const page = `query ($id: ID!, $branch: ID!, $before: String, $last: Int!) { conversation(id: $id) {
  messages(branch: $branch, before: $before, last: $last) { edges { cursor node { ${message} } } }
} }`

export const laterPage = `query ($id: ID!, $branch: ID!, $after: String, $first: Int!) { conversation(id: $id) {
  messages(branch: $branch, after: $after, first: $first) { edges { cursor node { ${message} } } }
} }`

export const parents = `query ($id: ID!, $after: String!) { conversation(id: $id) {
  messages(after: $after, first: 100) { nodes { id parentId } pageInfo { hasNextPage endCursor } }
} }`

export const events = `subscription ($id: ID!, $after: String) {
  conversationEvents(conversationId: $id, after: $after) {
    ${eventSelection(message)} ... on MessageAppended { changedSiblings { id siblings { index count ids } } }
  }
}`

const appended = `appendMessage(input: $input) { replayed messageEdge { cursor node { ${message} } } }`

export const append = `mutation ($input: AppendMessageInput!) { ${appended} }`

export const appendToNew = `mutation ($create: CreateConversationInput!, $input: AppendMessageInput!) {
  createConversation(input: $create) { created }
  ${appended}
}`

export const setLeaf = 'mutation ($input: SetActiveLeafInput!) { setActiveLeaf(input: $input) { message { id } } }'

export const stop = 'mutation ($input: StopMessageInput!) { stopMessage(input: $input) { message { id } } }'
