using LServe.Tests.Contracts.Hosting;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace LServe.Tests.Contracts
{
    /// <summary>A promise of a contract suite; skips in a class whose <see cref="NeedsAttribute"/> isn't satisfied here.</summary>
    [XunitTestCaseDiscoverer("LServe.Tests.Contracts.Hosting.ContractFactDiscoverer", "LServe.Contracts.Tests")]
    [AttributeUsage(AttributeTargets.Method)]
    public sealed class ContractFactAttribute : FactAttribute;

    /// <summary>What the tests of a class can't do without.</summary>
    [AttributeUsage(AttributeTargets.Class)]
    public abstract class NeedsAttribute : Attribute
    {
        /// <summary>What is missing here and how to get it; null: nothing.</summary>
        public abstract string? Missing { get; }
    }
}

namespace LServe.Tests.Contracts.Hosting
{
    public sealed class ContractFactDiscoverer(IMessageSink diagnostics) : FactDiscoverer(diagnostics)
    {
        protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions options, ITestMethod testMethod, IAttributeInfo factAttribute) =>
            new ContractTestCase(DiagnosticMessageSink, options.MethodDisplayOrDefault(), options.MethodDisplayOptionsOrDefault(), testMethod);
    }

    public sealed class ContractTestCase : XunitTestCase
    {
        [Obsolete("For deserialisation.")]
        public ContractTestCase()
        {
        }

        public ContractTestCase(IMessageSink diagnostics, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod testMethod)
            : base(diagnostics, display, options, testMethod)
        {
        }

        protected override string GetSkipReason(IAttributeInfo factAttribute) =>
            TestMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsAttribute)).OfType<ReflectionAttributeInfo>()
                .Select(attribute => ((NeedsAttribute)attribute.Attribute).Missing).FirstOrDefault(missing => missing is not null)
            ?? base.GetSkipReason(factAttribute);
    }
}
