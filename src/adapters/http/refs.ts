/** The varying segment of a path. */
import type { Request } from 'express';

/** The batch that a path names, decoded. */
export const refOf = ({ params }: Request): string => String(params['ref']);
