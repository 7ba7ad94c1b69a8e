import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Timestamp } from './timestamp.ts'

/** Rows were brought into the database in another way than by a server. */
@Entity({ tableName: 'transfer' })
export class Transfer {
  /** Random. The new epochs of a restore are made from it, so that one that is run again makes the same ones. */
  @PrimaryKey({ type: 'uuid' })
  id!: string

  /** `import` keeps epochs; `restore` brings rows with new epochs; `renewal` gives all rows new epochs. */
  @Property({ type: 'text' })
  kind!: 'import' | 'restore' | 'renewal'

  /** The SHA-256 that the file says of itself; null: there was no file. */
  @Property({ type: 'text', nullable: true })
  sha256!: string | null

  /** When it began, or was last begun again. Cursors of lists from before have expired. */
  @Property({ type: Timestamp })
  beganAt!: string

  /** null: it goes on, or it broke off. */
  @Property({ type: Timestamp, nullable: true })
  endedAt!: string | null
}
