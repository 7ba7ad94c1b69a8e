import { useMutation } from '@apollo/client/react'
import { type FormEvent, useId, useState } from 'react'
import { AddPersonDocument } from '../gql/graphql.ts'
import { roles } from './roles.ts'

interface AddPersonProps {
  readonly id: string
  readonly lastSeq: number
}

export function AddPerson({ id, lastSeq }: AddPersonProps) {
  const [add, { error, reset }] = useMutation(AddPersonDocument)
  const [part, setPart] = useState('all')
  const name = useId()
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = event.currentTarget
    const form = new FormData(fields)
    const input = {
      conversationId: id,
      userId: String(form.get('userId')).trim(),
      role: form.get('role') as 'MEMBER' | 'OBSERVER',
      historyFrom: part === 'new' ? lastSeq + 1 : part === 'from' ? Number(form.get('from')) : null,
    }
    try {
      await add({ variables: { input } })
      fields.reset()
      setPart('all')
    } catch {
      // It is shown, beside what was written.
    }
  }
  return (
    <form className="add-person" onSubmit={submit} onChange={reset}>
      <h3>Add somebody</h3>
      <label htmlFor={`${name}-user`}>User id</label>
      <input id={`${name}-user`} name="userId" required maxLength={255} autoComplete="off" />
      <label htmlFor={`${name}-role`}>Role</label>
      <select id={`${name}-role`} name="role">
        <option value="MEMBER">{roles.MEMBER}, may write</option>
        <option value="OBSERVER">{roles.OBSERVER}, only reads</option>
      </select>
      <label htmlFor={`${name}-part`}>Reads</label>
      <select id={`${name}-part`} value={part} onChange={({ target }) => setPart(target.value)}>
        <option value="all">All messages</option>
        <option value="new">Only new messages</option>
        <option value="from">From a message on</option>
      </select>
      {part === 'from' && (
        <>
          <label htmlFor={`${name}-from`}>From message</label>
          <input
            id={`${name}-from`}
            name="from"
            type="number"
            required
            min={1}
            max={lastSeq + 1}
            defaultValue={Math.max(1, lastSeq)}
          />
        </>
      )}
      {error && (
        <p className="people-problem" role="alert">
          {error.message}
        </p>
      )}
      <button type="submit" className="button main-button">
        Add
      </button>
    </form>
  )
}
