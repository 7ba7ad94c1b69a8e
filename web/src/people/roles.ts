/** What somebody may do, in words. */
export const roles = { OWNER: 'Owner', MEMBER: 'Member', OBSERVER: 'Observer' } as const
