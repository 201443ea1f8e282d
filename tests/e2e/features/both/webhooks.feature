Feature: Hear of what happens to payments
  Events are posted to the merchant's endpoints, signed after Standard Webhooks 1.0: at least once,
  and for one payment in order.

  Background:
    Given a merchant of its own

  Scenario: The first webhooks
    Given I make the endpoint "shop"
    When I authorize 10.00 GBP
    And I capture 4.00 GBP
    Then "shop" receives payment.authorized, payment.captured, in this order
    And the body shows payment and action as the API does
    And the deliveries of the last event become
      | endpoint | status    | attempts | last status | next try |
      | shop     | DELIVERED | 1        | 200         | no       |

  Scenario: Each fact has a type of its own
    Given I make the endpoint "shop"
    When I authorize 10.00 GBP
    And I capture 4.00 GBP
    And I refund 1.00 GBP
    Then "shop" receives payment.authorized, payment.captured, payment.refunded, in this order

  Scenario: An endpoint receives the types that it asked for
    Given I make the endpoint "voids" for payment.voided, payment.expired
    And I make the endpoint "all"
    When I authorize 10.00 GBP
    And I void it
    Then "all" receives payment.authorized, payment.voided, in this order
    And "voids" receives payment.voided, in this order

  Scenario: While a secret rotates, old and new verify
    Given I make the endpoint "shop"
    When I rotate the secret of "shop"
    And I authorize 10.00 GBP
    Then "shop" receives payment.authorized, in this order
    And the last delivery to "shop" verifies with both

  Scenario: Without overlap the old secret ends at once
    Given I make the endpoint "shop"
    When I rotate the secret of "shop" with 0 s of overlap
    And I authorize 10.00 GBP
    Then "shop" receives payment.authorized, in this order
    And the last delivery to "shop" verifies with only the new

  Scenario: A failing endpoint is tried again, and holds back what comes after in its payment
    Given I make the endpoint "shop"
    And the receiver answers 503
    When I authorize 10.00 GBP
    Then the deliveries of the last event become
      | endpoint | status  | attempts | last status | next try |
      | shop     | PENDING | 1        | 503         | yes      |
    When I capture 4.00 GBP
    Then the deliveries of the last event become
      | endpoint | status  | attempts | last status | next try |
      | shop     | PENDING | 0        | 0           | yes      |
    When the receiver answers 204
    And I redeliver the last event
    Then 1 is tried anew
    And the deliveries of the last event become
      | endpoint | status    | attempts | last status | next try |
      | shop     | DELIVERED | 1        | 204         | no       |

  Scenario: An event is delivered once more, whatever became of it
    Given I make the endpoint "shop"
    And I make the endpoint "books"
    When I authorize 10.00 GBP
    Then "shop" has received 1 request
    And "books" has received 1 request
    When I redeliver the last event to "books"
    Then 1 is tried anew
    And "books" has received 2 requests
    When I redeliver the last event
    Then 2 are tried anew
    And "books" has received 3 requests
    And "shop" has received 2 requests

  Scenario: An endpoint that is made later may ask for an earlier event
    When I authorize 10.00 GBP
    And everything due is done
    And I make the endpoint "late"
    And I redeliver the last event
    Then "late" receives payment.authorized, in this order

  Scenario: An endpoint that says 410 is disabled, until it is enabled again
    Given I make the endpoint "shop"
    And the receiver answers 410
    When I authorize 10.00 GBP
    Then "shop" becomes DISABLED
    And the deliveries of the last event become
      | endpoint | status | attempts | last status | next try |
      | shop     | FAILED | 1        | 410         | no       |
    When I redeliver the last event to "shop"
    Then it is refused with WEBHOOK_ENDPOINT_DISABLED
    When the receiver answers 200
    And I update "shop" with
      """
      {"status": "STATUS_ENABLED"}
      """
    Then "shop" is ENABLED
    When I redeliver what failed at "shop" since the scenario began
    Then 1 is tried anew
    And "shop" has received 2 requests

  Scenario: An update changes what is given
    Given I make the endpoint "shop"
    When I update "shop" with
      """
      {"event_types": {"types": ["payment.voided"]}}
      """
    And I authorize 10.00 GBP
    Then "shop" receives nothing more
    When I update "shop" with
      """
      {"event_types": {"types": []}, "description": "everything again"}
      """
    And I capture 4.00 GBP
    Then "shop" receives payment.captured, in this order

  Scenario: A retry makes no second endpoint, and tells the secret again
    Given I make the endpoint "shop" with the key "k"
    When I send the same request again
    Then it is a replay
    And the reply is the same as before, byte for byte
    When I send the same request again over the other protocol
    Then it is a replay
    And the reply is the same message as before
    And the endpoints are shop

  Scenario: A deleted endpoint receives nothing and is gone
    Given I make the endpoint "shop"
    And I make the endpoint "books"
    Then the endpoints are books, shop
    When I delete "shop"
    Then the endpoints are books
    When I authorize 10.00 GBP
    Then "books" receives payment.authorized, in this order
    And "shop" has received 0 requests
    When I update "shop" with
      """
      {"description": "still there?"}
      """
    Then it is refused with WEBHOOK_ENDPOINT_NOT_FOUND

  Scenario: Events are listed newest first
    When I authorize 10.00 GBP
    And I capture 4.00 GBP
    And I capture 1.00 GBP
    Then the events with these filters are
      | filter                             | events                                                 |
      |                                    | payment.captured, payment.captured, payment.authorized |
      | payment_id=it                      | payment.captured, payment.captured, payment.authorized |
      | type=payment.captured              | payment.captured, payment.captured                     |
      | type=payment.voided                |                                                        |
      | page_size=1                        | payment.captured                                       |
      | type=payment.authorized payment_id=it | payment.authorized                                  |

  Scenario: Another merchant's endpoint looks like one that never was
    Given I make the endpoint "shop"
    When another merchant uses the endpoint in every request that takes one, and one that is none
    Then each is refused with WEBHOOK_ENDPOINT_NOT_FOUND
    And all replies are the same, byte for byte
    And "shop" is ENABLED

  Scenario: Another merchant's event looks like one that never was
    When I authorize 10.00 GBP
    And another merchant uses the last event in every request that takes one, and one that is none
    Then each is refused with EVENT_NOT_FOUND
    And all replies are the same, byte for byte

  Scenario: A merchant has 20 endpoints at most
    When I make endpoints until one is refused
    Then it is refused with WEBHOOK_ENDPOINT_LIMIT

  Scenario: All that is wrong with an endpoint is said at once
    When I make an endpoint with
      """
      {"url": "http://93.184.216.34/hunter2", "event_types": ["payment.nope"], "description": "a\u0007"}
      """
    Then it is refused with VALIDATION_FAILED
    And it names these fields, each with a sentence for people
      | field       |
      | url         |
      | event_types |
      | description |
    And it repeats nothing that I sent

  Scenario: Each attempt is kept, with what the receiver said
    Given I make the endpoint "shop"
    And the receiver answers 503
    When I authorize 10.00 GBP
    Then the deliveries of the last event become
      | endpoint | status  | attempts | last status | next try |
      | shop     | PENDING | 1        | 503         | yes      |
    When the receiver answers 204
    And I redeliver the last event
    Then the deliveries of the last event become
      | endpoint | status    | attempts | last status | next try |
      | shop     | DELIVERED | 1        | 204         | no       |
    And the attempts at "shop" are
      | number | status | error    |
      | 2      | 204    |          |
      | 1      | 503    | http 503 |
    And the failed deliveries to "shop" are none

  Scenario: An endpoint is tried by an event about nothing
    Given I make the endpoint "shop" for payment.voided
    And I make the endpoint "books"
    When I send a test to "shop"
    Then "shop" receives webhook.test, in this order
    And "books" receives nothing more

  Scenario: The inbox needs no server
    Given I make an endpoint at "https://inbox.paygate.test/503"
    When I authorize 10.00 GBP
    Then the inbox shows payment.authorized, signed and answered with 503
