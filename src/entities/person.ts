import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Timestamp } from './timestamp.ts'

/** What a token says of its user, for those who meet the user in a conversation. */
@Entity({ tableName: 'person' })
export class Person {
  @PrimaryKey({ type: 'text', collation: 'C' })
  userId!: string

  @Property({ type: 'text', nullable: true })
  name!: string | null

  /** An https: URL, or a picture as a data: URL. */
  @Property({ type: 'text', nullable: true })
  picture!: string | null

  /** When the token was issued: a later one knows better. */
  @Property({ type: Timestamp })
  saidAt!: string
}
