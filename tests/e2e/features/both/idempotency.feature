Feature: Send a request again without doing it twice
  A request with an idempotency key (REST: the header `Idempotency-Key`, gRPC: the metadata
  `idempotency-key`) has one effect however often it is sent. Sent again, it gets the stored reply,
  the same byte for byte, with `idempotent-replayed: true`.

  Scenario Outline: The same key and the same request get the same reply
    Given <payment>
    When I <request> with the key "k"
    Then it is not a replay
    When I send the same request again
    Then it is a replay
    And the reply is the same as before, byte for byte
    And the history has <actions> actions

    Examples: Of each verb, captures and refunds of everything included
      | payment                                                | request             | actions |
      | no payment                                             | authorize 10.00 GBP | 1       |
      | a payment of 10.00 GBP                                 | capture 4.00 GBP    | 2       |
      | a payment of 10.00 GBP                                 | capture 10.00 GBP   | 2       |
      | a payment of 10.00 GBP                                 | void it             | 2       |
      | a payment of 10.00 GBP of which 10.00 GBP are captured | refund 4.00 GBP     | 3       |
      | a payment of 10.00 GBP of which 10.00 GBP are captured | refund 10.00 GBP    | 3       |
      | a payment of 10.00 GBP on the card 4000 0000 0000 0259 | capture 4.00 GBP    | 2       |

  Scenario: A decline is stored like any other reply
    When I authorize 10.00 GBP on the card 4000 0000 0000 0002 with the key "k"
    And I send the same request again
    Then it is a replay
    And the reply is the same as before, byte for byte
    And the AUTHORIZE of 10.00 GBP is DECLINED with CARD_DECLINED

  Scenario: The stored reply shows the payment as it was then, whatever happened since
    Given a payment of 10.00 GBP
    When I capture 4.00 GBP with the key "k"
    And I capture 6.00 GBP
    And I send the request with the key "k" again
    Then it is a replay
    And the reply shows the payment PARTIALLY_CAPTURED
    But the payment is CAPTURED by now

  Scenario: A retry is answered before any rule is looked at
    Given a payment of 10.00 GBP
    When I capture 10.00 GBP with the key "k"
    And I refund 10.00 GBP
    And I send the request with the key "k" again
    Then it is a replay
    And the CAPTURE of 10.00 GBP is SUCCEEDED

  Scenario Outline: A key stands for one request only
    Given a payment of 10.00 GBP of which 4.00 GBP are captured
    When I <request> with the key "k"
    And I <other request> with the key "k"
    Then it is refused with IDEMPOTENCY_KEY_REUSED
    And it repeats nothing that I sent
    And the payment is as it was

    Examples:
      | request             | other request                                       |
      | authorize 10.00 GBP | authorize 10.01 GBP                                 |
      | authorize 10.00 GBP | authorize 10.00 EUR                                 |
      | authorize 10.00 GBP | authorize 10.00 GBP on the card 5555 5555 5555 4444 |
      | authorize 10.00 GBP | authorize 10.00 GBP with the reference "parcel"     |
      | capture 1.00 GBP    | capture 2.00 GBP                                    |
      | capture 1.00 GBP    | capture 1.00 GBP as the final capture               |
      | capture 1.00 GBP    | capture 1.00 GBP with the reference "parcel"        |
      | refund 1.00 GBP     | refund 2.00 GBP                                     |
      | refund 1.00 GBP     | refund 1.00 GBP with the reference "parcel"         |

  Scenario: A key of one payment's capture is no key of another's
    Given a payment of 10.00 GBP
    And I capture 4.00 GBP with the key "k"
    And a payment of 10.00 GBP
    When I capture 4.00 GBP with the key "k"
    Then it is refused with IDEMPOTENCY_KEY_REUSED
    And the payment is as it was

  Scenario: How a card's number is spelled makes no other request of it
    When I authorize 10.00 GBP on the card 4242424242424242 with the key "k"
    And I authorize 10.00 GBP on the card 4242-4242-4242-4242 with the key "k"
    Then it is a replay
    And the reply is the same as before, byte for byte

  Scenario: The CVV is kept in no form, so another one makes no other request
    When I authorize 10.00 GBP on the card 4242 4242 4242 4242 with the CVV 123 with the key "k"
    And I authorize 10.00 GBP on the card 4242 4242 4242 4242 with the CVV 321 with the key "k"
    Then it is a replay

  Scenario Outline: A request that was refused has stored nothing: correct it and keep the key
    Given a payment of 10.00 GBP
    When I <refused> with the key "k"
    Then it is refused with <reason>
    When I <corrected> with the key "k"
    Then it is not a replay
    And the action is SUCCEEDED

    Examples:
      | refused                   | reason                    | corrected           |
      | capture 10.01 GBP         | AMOUNT_EXCEEDS_CAPTURABLE | capture 10.00 GBP   |
      | capture 4.00 EUR          | CURRENCY_MISMATCH         | capture 4.00 GBP    |
      | capture without an amount | VALIDATION_FAILED         | capture 4.00 GBP    |
      | authorize 10.00 XAU       | VALIDATION_FAILED         | authorize 10.00 GBP |

  Scenario: A refusal is not stored either: the same request may be accepted later
    Given a payment of 10.00 GBP
    When I refund 4.00 GBP with the key "k"
    Then it is refused with NOT_CAPTURED
    Given 4.00 GBP are captured
    When I refund 4.00 GBP with the key "k"
    Then it is not a replay
    And the REFUND of 4.00 GBP is SUCCEEDED

  Scenario: Each method has its own keys
    When I authorize 10.00 GBP with the key "k"
    And I capture 10.00 GBP with the key "k"
    And I refund 10.00 GBP with the key "k"
    Then it is not a replay
    And the payment is REFUNDED

  Scenario: A void's key may be that of its authorization
    When I authorize 10.00 GBP with the key "k"
    And I void it with the key "k"
    Then it is not a replay
    And the payment is VOIDED

  Scenario: Each merchant has its own keys
    When I authorize 10.00 GBP with the key "k"
    And another merchant sends the same request
    Then it is not a replay
    And the AUTHORIZE of 10.00 GBP is SUCCEEDED

  Scenario: Without a key each request is a new one
    Given a payment of 10.00 GBP
    When I capture 4.00 GBP
    And I send the same request again
    Then it is not a replay
    And its amounts are
      | authorized | captured | refunded | capturable | refundable |
      | 10.00 GBP  | 8.00 GBP | 0.00 GBP | 2.00 GBP   | 8.00 GBP   |

  Scenario Outline: A key works over both protocols
    Given <payment>
    When I <request> with the key "k"
    And I send the same request again over the other protocol
    Then it is a replay
    And the reply is the same message as before

    Examples:
      | payment                                                | request             |
      | no payment                                             | authorize 10.00 GBP |
      | a payment of 10.00 GBP                                 | capture 10.00 GBP   |
      | a payment of 10.00 GBP                                 | void it             |
      | a payment of 10.00 GBP of which 10.00 GBP are captured | refund 10.00 GBP    |

  Scenario: A key of the other protocol stands for one request only, too
    Given a payment of 10.00 GBP
    When I capture 4.00 GBP with the key "k"
    And I send another amount, 5.00 GBP, with the same key over the other protocol
    Then it is refused with IDEMPOTENCY_KEY_REUSED

  Scenario: A key is 1 to 255 visible ASCII characters
    Given a merchant with no payments yet
    When I authorize 10.00 GBP with each of these idempotency-keys
      | "!"              |
      | 255 × "~"        |
      | "a:b/c?d=e&f\"g" |
    Then each is SUCCEEDED and none a replay

  Scenario Outline: What is no key is refused
    When I authorize 10.00 GBP with the idempotency-key <key>
    Then it is refused with VALIDATION_FAILED
    And it names the field idempotency-key
    And it repeats nothing that I sent

    Examples: Empty, too long, with a space in it, two keys
      | key                 |
      | ""                  |
      | 256 × "~"           |
      | "two words"         |
      | "key-1" and "key-2" |
