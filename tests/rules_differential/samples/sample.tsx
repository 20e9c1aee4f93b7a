const Page = (props: Props) => (
  <Layout title={props.title} wide>
    <b class="x">text {props.name}</b>
    <Empty />
  </Layout>
);
