using LServe.Sessions;

namespace LServe.Tests.Contracts;

public class InMemorySessionStoreTests : SessionStoreContract
{
    protected override ISessionStore CreateStore() => new InMemorySessionStore();
}
