/**
 * How long a reason may be that a person gives, wherever they give it: it goes into the record.
 */

export const maxReasonCharacters = 1000;
