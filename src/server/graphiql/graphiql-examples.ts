/** One tab of GraphiQL. The tab is named for the first operation of `query`; a test validates all of them against the schema. */
export interface GraphiqlExample {
  query: string
  variables: Record<string, unknown>
}

/** What a first visitor finds, in the order of a first session: write, be an agent, read, watch. Lines of 60 columns fit the pane. */
export const graphiqlExamples: GraphiqlExample[] = [
  {
    query: `# Opens a conversation, new or not, and appends a message.
# Headers, below, say who you are. Docs: the book, top left.
mutation Begin($id: ID!, $title: String, $content: String!) {
  createConversation(
    input: { id: $id, title: $title, ifExists: RETURN }
  ) {
    created
    conversation {
      id
      title
      createdAt
    }
  }
  appendMessage(
    input: {
      conversationId: $id
      message: { role: USER, content: $content }
    }
  ) {
    message {
      id
      seq
      role
      content
      createdAt
    }
  }
}
`,
    variables: { id: 'demo', title: 'Weather', content: 'Will it rain in Oslo today?' },
  },
  {
    query: `# An agent's turn: read what its model is to be sent, then
# append what it said and did, all or nothing.
# AppendTurn run twice is stored once: see clientId.
query ReadContext($id: ID!, $format: ContextFormat!) {
  conversation(id: $id) {
    lastSeq
    context(maxTokens: 4000, format: $format) {
      system
      messages
      tokenCount
      omitted {
        messages
        reasons
      }
    }
  }
}

mutation AppendTurn($id: ID!, $lastSeq: Int) {
  appendMessages(
    input: {
      conversationId: $id
      ifMissing: CREATE
      ifLastSeq: $lastSeq
      messages: [
        {
          role: ASSISTANT
          clientId: "turn-1-call"
          toolCalls: [
            {
              callId: "call_1"
              name: "get_weather"
              arguments: "{\\"city\\":\\"Oslo\\"}"
            }
          ]
        }
        {
          role: TOOL
          clientId: "turn-1-result"
          toolCallId: "call_1"
          toolName: "get_weather"
          content: "{\\"sky\\":\\"rain\\",\\"celsius\\":9}"
        }
        {
          role: ASSISTANT
          clientId: "turn-1-answer"
          content: "Yes: rain and 9 °C. Take an umbrella."
          finishReason: "stop"
        }
      ]
    }
  ) {
    replayed
    messages {
      seq
      role
      content
      clientId
    }
    conversation {
      lastSeq
    }
  }
}
`,
    variables: { id: 'demo', format: 'OPENAI_CHAT', lastSeq: null },
  },
  {
    query: `# Your conversations, and the latest messages of one of them.
# More: put endCursor into after, or startCursor into before.
query Page($after: String, $id: ID!, $before: String) {
  conversations(first: 10, after: $after) {
    nodes {
      id
      title
      updatedAt
      lastMessage {
        role
        content
      }
    }
    pageInfo {
      endCursor
      hasNextPage
    }
  }
  conversation(id: $id) {
    messages(last: 20, before: $before) {
      nodes {
        seq
        role
        content
      }
      pageInfo {
        startCursor
        hasPreviousPage
      }
    }
  }
}
`,
    variables: { after: null, id: 'demo', before: null },
  },
  {
    query: `# Every message from the beginning (after: ""), then live.
# Changing tabs ends it: append from a second window.
subscription Watch($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) {
    node {
      seq
      role
      content
      toolCalls {
        name
        arguments
      }
      createdAt
    }
  }
}
`,
    variables: { id: 'demo', after: '' },
  },
]
