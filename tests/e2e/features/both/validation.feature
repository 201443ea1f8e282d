Feature: Say what is wrong with a request
  A request that is not valid does nothing. The refusal names every field that is wrong, all at
  once and by its path in the request, and repeats none of the values.

  Scenario Outline: Each wrong field of an authorization is named
    When I authorize with <field> set to <value>
    Then it is refused with VALIDATION_FAILED
    And it names the field <named>
    And it repeats nothing that I sent

    Examples: The card's number: 12 to 19 digits, the last of which is right by Luhn
      | field            | value                              | named            |
      | card_details.pan | "4242 4242 4242 4241"              | card_details.pan |
      | card_details.pan | "42424242424"                      | card_details.pan |
      | card_details.pan | "42424242424242424242"             | card_details.pan |
      | card_details.pan | "4242x4242x4242x4242"              | card_details.pan |
      | card_details.pan | "４２４２４２４２４２４２４２４２" | card_details.pan |
      | card_details.pan | ""                                 | card_details.pan |
      | card_details.pan | nothing                            | card_details.pan |

    Examples: The CVV: three digits, four for American Express
      | field            | value               | named            |
      | card_details.cvv | "97"                | card_details.cvv |
      | card_details.cvv | "9876"              | card_details.cvv |
      | card_details.cvv | "98x"               | card_details.cvv |
      | card_details.cvv | "９８７"            | card_details.cvv |
      | card_details.cvv | ""                  | card_details.cvv |
      | card_details.cvv | nothing             | card_details.cvv |
      | card_details.pan | "3782 822463 10005" | card_details.cvv |

    Examples: The month of expiry
      | field                     | value   | named                     |
      | card_details.expiry       | nothing | card_details.expiry       |
      | card_details.expiry.month | 13      | card_details.expiry.month |
      | card_details.expiry.month | 0       | card_details.expiry.month |
      | card_details.expiry.month | -1      | card_details.expiry.month |
      | card_details.expiry.month | nothing | card_details.expiry.month |
      | card_details.expiry.year  | 40      | card_details.expiry.year  |
      | card_details.expiry.year  | 20401   | card_details.expiry.year  |
      | card_details.expiry.year  | nothing | card_details.expiry.year  |
      | card_details.expiry.year  | 2020    | card_details.expiry       |

    Examples: Where the money comes from
      | field        | value   | named        |
      | card_details | nothing | card_details |
      | card_token   | ""      | card_token   |

    Examples: The amount: 1 to 10^12 minor units of a currency that has some
      | field              | value                | named              |
      | amount             | nothing              | amount             |
      | amount.minor_units | 0                    | amount.minor_units |
      | amount.minor_units | -1000                | amount.minor_units |
      | amount.minor_units | 1000000000001        | amount.minor_units |
      | amount.minor_units | 9223372036854775807  | amount.minor_units |
      | amount.minor_units | -9223372036854775808 | amount.minor_units |
      | amount.minor_units | nothing              | amount.minor_units |
      | amount.currency    | "gbp"                | amount.currency    |
      | amount.currency    | "GBPX"               | amount.currency    |
      | amount.currency    | "QQQ"                | amount.currency    |
      | amount.currency    | "826"                | amount.currency    |
      | amount.currency    | "XAU"                | amount.currency    |
      | amount.currency    | "XXX"                | amount.currency    |
      | amount.currency    | "XTS"                | amount.currency    |
      | amount.currency    | " GBP"               | amount.currency    |
      | amount.currency    | nothing              | amount.currency    |

    Examples: The reference: at most 255 characters, no control characters
      | field     | value                    | named     |
      | reference | 256 × "r"                | reference |
      | reference | "line one\u000aline two" | reference |
      | reference | "bell\u0007bell"         | reference |
      | reference | "delete\u007f"           | reference |
      | reference | "next\u0085line"         | reference |

  Scenario Outline: A reference is any text of up to 255 characters
    When I authorize with reference set to <value>
    Then the action is SUCCEEDED
    And payment and action have that reference

    Examples:
      | value                         |
      | 255 × "r"                     |
      | 255 × "€"                     |
      | "naïve ☕ 日本語 🛒 \"'<&;--" |

  Scenario: All that is wrong with an authorization is named at once
    When I authorize with all of these, and the idempotency-key "two words"
      | field                     | value                 |
      | card_details.pan          | "4242 4242 4242 4241" |
      | card_details.cvv          | "97"                  |
      | card_details.expiry.month | 13                    |
      | amount.minor_units        | -1000                 |
      | amount.currency           | "QQQ"                 |
      | reference                 | 256 × "r"             |
    Then it is refused with VALIDATION_FAILED
    And it names these fields, each with a sentence for people
      | field                     |
      | idempotency-key           |
      | card_details.pan          |
      | card_details.cvv          |
      | card_details.expiry.month |
      | amount.minor_units        |
      | amount.currency           |
      | reference                 |
    And it repeats nothing that I sent

  Scenario: An empty authorization lacks a card and an amount
    When I authorize with nothing at all
    Then it is refused with VALIDATION_FAILED
    And it names these fields, each with a sentence for people
      | field        |
      | card_details |
      | amount       |

  Scenario: A card that has expired is named together with what else is wrong
    When I authorize with all of these
      | field                    | value |
      | card_details.expiry.year | 2020  |
      | amount.minor_units       | 0     |
    Then it is refused with VALIDATION_FAILED
    And it names these fields, each with a sentence for people
      | field               |
      | card_details.expiry |
      | amount.minor_units  |

  Scenario Outline: All that is wrong with a later request is named at once
    When I <verb> with nothing but a wrong amount, a wrong reference and the key "two words"
    Then it is refused with VALIDATION_FAILED
    And it names these fields, each with a sentence for people
      | field              |
      | idempotency-key    |
      | authorization_id   |
      | amount.minor_units |
      | amount.currency    |
      | reference          |
    And it repeats nothing that I sent

    Examples:
      | verb    |
      | capture |
      | refund  |

  Scenario: All that is wrong with a void is named at once
    When I void with nothing but a wrong reference and the key "two words"
    Then it is refused with VALIDATION_FAILED
    And it names these fields, each with a sentence for people
      | field            |
      | idempotency-key  |
      | authorization_id |
      | reference        |
    And it repeats nothing that I sent

  Scenario Outline: A page holds 1 to 100
    Given a payment of 10.00 GBP
    When I list <what> with a page_size of <size>
    Then it is refused with VALIDATION_FAILED
    And it names the field page_size
    And it repeats nothing that I sent

    Examples:
      | what        | size |
      | payments    | 101  |
      | payments    | -1   |
      | its actions | 101  |
      | its actions | -1   |
