// An intrusive doubly-linked list: joining and leaving never allocate, and leaving needs no list in hand.
#pragma once

namespace sallyport::io {

struct ListNode {
    ListNode* previous = this;
    ListNode* next = this;

    ListNode() = default;
    ListNode(const ListNode&) = delete;
    ListNode& operator=(const ListNode&) = delete;
    ~ListNode() { leave(); }

    bool linked() const { return next != this; }
    void leave() {
        previous->next = next;
        next->previous = previous;
        previous = next = this;
    }
};

template <class T>
class List {
public:
    bool empty() const { return !head_.linked(); }
    void push_back(T& node) { insert_before(head_, node); }
    T& front() { return static_cast<T&>(*head_.next); }

    /// Takes the first node out; null when there is none.
    T* pop_front() {
        if (empty()) return nullptr;
        T& first = front();
        first.leave();
        return &first;
    }

    /// Moves all nodes of `other` to the end of this list.
    void take(List& other) {
        while (T* node = other.pop_front()) push_back(*node);
    }

    template <class F>
    void for_each(F&& f) {
        for (ListNode* at = head_.next; at != &head_;) {
            ListNode* following = at->next;  // f may take the node out
            f(static_cast<T&>(*at));
            at = following;
        }
    }

private:
    static void insert_before(ListNode& place, ListNode& node) {
        node.previous = place.previous;
        node.next = &place;
        place.previous->next = &node;
        place.previous = &node;
    }
    ListNode head_;
};

}  // namespace sallyport::io
