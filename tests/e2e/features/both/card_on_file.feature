Feature: Authorize again on a card that was used before
  The vault keeps each card that was authorized, encrypted. `payment.card.token` names it, and stands in
  for its number in later authorizations. The CVV is kept nowhere, so a card on file is charged without.

  Scenario: A token authorizes on the same card
    Given a payment of 10.00 GBP on the card 5555 5555 5555 4444
    When I authorize 25.00 GBP on its card's token
    Then the AUTHORIZE of 25.00 GBP is SUCCEEDED
    And the payment is AUTHORIZED
    And the payment shows the card MASTERCARD ending in 4444
    And its card has the same token
    And the reply holds the card's number 5555 5555 5555 4444 nowhere

  Scenario: Each authorization with a card's details has a token of its own
    Given a payment of 10.00 GBP
    When I authorize 10.00 GBP
    Then its card has another token

  Scenario: What follows an authorization on a token is as ever
    Given a payment of 10.00 GBP
    When I authorize 8.00 GBP on its card's token
    And I capture 8.00 GBP
    And I refund 3.00 GBP
    Then the REFUND of 3.00 GBP is SUCCEEDED
    And the payment is PARTIALLY_REFUNDED

  Scenario: A repeated request on a token is carried out once
    Given a payment of 10.00 GBP
    When I authorize 8.00 GBP on its card's token with the key "again"
    And I send the same request again
    Then it is a replay
    And the reply is the same as before, byte for byte

  Scenario Outline: What is no token of mine does not exist
    Given a payment of 10.00 GBP
    When I authorize 10.00 GBP on <token>
    Then it is refused with CARD_TOKEN_NOT_FOUND

    Examples:
      | token                                    |
      | the token tok_01h455vb4pex5vsknk084sn02q |
      | the token tok_unknown                    |
      | the token pay_01h455vb4pex5vsknk084sn02q |
      | its card's token, as another merchant    |

  Scenario: A card that I remove authorizes nothing any more
    Given a payment of 10.00 GBP
    When I remove its card
    Then it is removed
    When I authorize 5.00 GBP on its card's token
    Then it is refused with CARD_TOKEN_REMOVED

  Scenario: To remove a card again is no error
    Given a payment of 10.00 GBP
    When I remove its card
    And I remove its card
    Then it is removed

  Scenario: What was paid with a removed card goes on
    Given a payment of 10.00 GBP on the card 5555 5555 5555 4444
    When I remove its card
    And I capture 10.00 GBP
    And I refund 4.00 GBP
    Then the REFUND of 4.00 GBP is SUCCEEDED
    And the payment is PARTIALLY_REFUNDED
    And the payment shows the card MASTERCARD ending in 4444

  Scenario: A card that was declined at once is not kept
    Given a payment of 10.00 GBP on the card 4000 0000 0000 0002
    When I authorize 10.00 GBP on its card's token
    Then it is refused with CARD_TOKEN_REMOVED

  Scenario Outline: What is no card of mine can't be removed
    Given a payment of 10.00 GBP
    When I remove <card>
    Then it is refused with CARD_TOKEN_NOT_FOUND

    Examples:
      | card                                                 |
      | the card of the token tok_01h455vb4pex5vsknk084sn02q |
      | the card of the token tok_unknown                    |
      | its card, as another merchant                        |
