Feature: See and change only what is mine
  Every request carries an API key (`authorization: Bearer <key>`), and the key says whose payments
  it is about.

  Scenario: Who shows no key is told so
    When I list payments with each of these as the authorization
      | authorization            |
      | nothing                  |
      | an empty one             |
      | Bearer                   |
      | the key without "Bearer" |
    Then each is refused with INVALID_API_KEY
    And all replies are the same, byte for byte
    And they repeat no key

  Scenario: Keys that are wrong or malformed look alike
    When I list payments with each of these as the authorization
      | authorization            |
      | Bearer wrong             |
      | the key under "Basic"    |
      | the key and one letter   |
      | the key with another end |
      | a key that nobody has    |
      | a key that was revoked   |
      | a key that has expired   |
      | a disabled merchant's    |
      | the key twice            |
    Then each is refused with INVALID_API_KEY
    And all replies are the same, byte for byte
    And they repeat no key

  Scenario: Every method wants a key, and wants it before it looks at the request
    Given a payment of 10.00 GBP
    When I send every request there is with a wrong key, and each with nothing in it as well
    Then each is refused with INVALID_API_KEY
    And all replies are the same, byte for byte

  Scenario Outline: A key does what it is for
    When I send every request there is with a key that is for "<scope>" only
    Then those <kind> are refused with INSUFFICIENT_SCOPE, and no others

    Examples:
      | scope     | kind                                   |
      | payments  | about webhooks, events and sandboxes   |
      | webhooks  | about anything but webhooks and events |
      | sandboxes | about anything but sandboxes           |
      | read_only | that change something                  |

  Scenario: Ids that are unknown and ids that are none look alike
    When I use each of these ids in every request that takes one
      | id                                |
      | pay_01h455vb4pex5vsknk084sn02q    |
      | pay_7zzzzzzzzzzzzzzzzzzzzzzzzz    |
      | pay_8zzzzzzzzzzzzzzzzzzzzzzzzz    |
      | pay_                              |
      | PAY_01H455VB4PEX5VSKNK084SN02Q    |
      | act_01h455vb4pex5vsknk084sn02q    |
      | 01h455vb4pex5vsknk084sn02q        |
      | 12345                             |
      | pay_01h455vb4pex5vsknk084sn02q;-- |
      | naïve ☕                          |
    Then each is refused with PAYMENT_NOT_FOUND
    And all replies are the same, byte for byte

  Scenario: Another merchant's payment looks like one that never was
    Given a payment of 10.00 GBP of which 4.00 GBP are captured
    When another merchant uses its id in every request that takes one, and the id of no payment
    Then each is refused with PAYMENT_NOT_FOUND
    And all replies are the same, byte for byte
    And the payment is as it was

  Scenario: Another merchant does not see my payments in lists
    Given a payment of 10.00 GBP with the reference "mine alone"
    When another merchant lists the payments with the reference "mine alone"
    Then there are none
