import { Field, ObjectType } from 'type-graphql'
import type { SettingInForce } from '../../config.ts'

@ObjectType({ description: 'A setting as the server has it.', simpleResolvers: true })
export class Setting implements SettingInForce {
  @Field(() => String, { description: 'The variable of the environment.' })
  name!: string

  @Field(() => String, {
    nullable: true,
    description:
      'What was given, or the default. null: there is neither, or it is a secret. A URL has neither its user nor its query.',
  })
  value!: string | null

  @Field(() => Boolean, { description: 'Whether the environment has it.' })
  isGiven!: boolean

  @Field(() => Boolean, { description: 'Whether it is a secret: its value is never told.' })
  isSecret!: boolean

  @Field(() => String, { description: 'What it is for.' })
  meaning!: string
}
